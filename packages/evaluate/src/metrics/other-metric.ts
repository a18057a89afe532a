// Measures that a model makes of two images: LPIPS, DISTS and their like, exported to ONNX.
import { InferenceSession, Tensor, TlscError } from '@tlsc/api';
import type { Planes } from './planes.js';

function tensorOf({ data, channels, height, width }: Planes): Tensor {
  return new Tensor('float32', Float32Array.from(data), [1, channels, height, width]);
}

/** A model of two inputs, N × 3 × H × W with values in [0, 1], the result and the target; the mean of its first output is the measure. */
export class OtherMetric {
  private constructor(
    readonly name: string,
    readonly session: InferenceSession,
  ) {}

  static async load(name: string, file: string): Promise<OtherMetric> {
    const session = await InferenceSession.create(file);
    if (session.inputNames.length === 2) return new OtherMetric(name, session);
    await session.release();
    const message = `${file} has the inputs ${session.inputNames.join(', ')}; a measure takes two, the result and the target`;
    throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'metrics', received: file });
  }

  async of(image: Planes, reference: Planes, signal: AbortSignal | undefined): Promise<number> {
    const { session } = this;
    const [first = '', second = ''] = session.inputNames;
    const [output = ''] = session.outputNames;
    const feeds = { [first]: tensorOf(image), [second]: tensorOf(reference) };
    const outputs = await session.run(feeds, [output], signal ? { signal } : {});
    const values = Array.from((outputs[output] as Tensor).data as Float32Array, Number);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  }
}
