import { toBinary } from '@bufbuild/protobuf';
import { type Feeds, InferenceSession, Tensor, TlscError } from '@tlsc/api';
import { ModelProtoSchema } from 'onnx-buf';
import { build, node, weights } from '../fuzz/build.js';

/** A network with channel attention; with its window, conversion has something to do. */
export function model(): Uint8Array {
  const nodes = [
    node('Conv', 'x w', 'f', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    node('GlobalAveragePool', 'f', 'm'),
    node('Sigmoid', 'm', 'g'),
    node('Mul', 'f g', 'y'),
  ];
  return toBinary(ModelProtoSchema, build({ nodes, constants: [weights('w', 3, 3, 3, 3)] }));
}

const side = 128;

export function feed(): Feeds {
  return { x: new Tensor('float32', new Float32Array(3 * side * side).fill(0.5), [1, 3, side, side]) };
}

const open = (bytes: Uint8Array, operators: 'native' | 'portable' = 'native') =>
  InferenceSession.create(bytes, { operators, logSeverityLevel: 4 });

/** Of runs, aborted anywhere between their start and their end; one that is done has its outputs. */
export async function runAndAbort(bytes: Uint8Array, feeds: Feeds): Promise<void> {
  const session = await open(bytes);
  const runs = Array.from({ length: 16 }, async (_, i) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), i);
    try {
      await session.run(feeds, { signal: controller.signal });
    } catch (error) {
      if (!(error instanceof TlscError) || error.code !== 'ERR_ABORTED') throw error;
    }
  });
  await Promise.all(runs);
  await session.release();
}

/** With runs under way, whose results still come; and some that nobody releases. */
export async function releaseSessions(bytes: Uint8Array, feeds: Feeds): Promise<void> {
  for (let i = 0; i < 4; i++) {
    const session = await open(bytes, i % 2 === 0 ? 'native' : 'portable');
    const runs = [session.run(feeds), session.run(feeds)];
    if (i > 0) await session.release();
    for (const { y } of await Promise.all(runs)) if (y?.data.length === 0) throw new Error('no output');
  }
}
