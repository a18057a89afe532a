// Mutants of images through readPhoto; options.ts says how many, and which.
import { drive } from './driver.js';
import { imageSeeds } from './image-seeds.js';
import { mutateImage } from './mutations/images.js';
import { readOptions } from './options.js';
import { randomOf } from './random.js';
import { tell } from './tell.js';

const options = readOptions('test/dist/findings/images');
const seeds = await imageSeeds();
console.log(`${seeds.length} seeds`);
const { seed } = options;

tell(
  await drive({
    ...options,
    async sample(index) {
      const random = randomOf(seed, index);
      const chosen = random.pick(seeds);
      const bytes = mutateImage(chosen, random);
      return { bytes, origin: `--seed ${seed} --first ${index} --count 1: ${chosen.name}` };
    },
    calls: ['readPhoto'],
    extension: '.image',
  }),
);
