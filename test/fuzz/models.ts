// Mutants of models through all that tlsc does with models; options.ts says how many, and which.
import { modelCalls } from './calls.js';
import { drive } from './driver.js';
import { mutate } from './mutations/index.js';
import { readOptions } from './options.js';
import { randomOf } from './random.js';
import { readSeeds } from './seeds.js';
import { tell } from './tell.js';

const options = readOptions('test/dist/findings/models');
const seeds = await readSeeds();
console.log(`${seeds.friendly.length + seeds.hostile.length} seeds`);
/** What is known to be hostile mostly fails as it did. */
const hostileShare = 0.05;
const { seed } = options;

tell(
  await drive({
    ...options,
    async sample(index) {
      const random = randomOf(seed, index);
      const { name, model } = random.pick(random.chance(hostileShare) ? seeds.hostile : seeds.friendly);
      const { bytes, kinds } = mutate(model, random);
      return {
        bytes,
        origin: `--seed ${seed} --first ${index} --count 1: ${name}, changed ${kinds.join(', ')}`,
      };
    },
    calls: modelCalls,
    side: 16,
    extension: '.onnx',
  }),
);
