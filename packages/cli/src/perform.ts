import { TlscError } from '@tlsc/api';

export interface OutputOptions {
  readonly json?: boolean;
}

/** An error as `--json` prints it. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
}

/** Options of the API that the command has, too, and their names there where these are others. */
const options = new Map(
  Object.entries({
    trainSize: '--train-size',
    baseSize: '--base-size',
    fullSize: '--full-size',
    include: '--include',
    exclude: '--exclude',
    opset: '--opset',
    explain: '--explain',
    maxPixels: '--max-pixels',
    range: '--range',
    mean: '--mean',
    std: '--std',
    outputRange: '--output-range',
    channels: '--channels',
    gray: '--gray',
    page: '--page',
    quality: '--quality',
    lossless: '--lossless',
    inputs: '--input',
    memory: '--memory',
    halo: '--halo',
    exact: '--exact',
    checkPieces: '--check-pieces',
    pairs: '--pairs',
    baseSizes: '--base-size',
    patchSizes: '--patch-size',
    blendedSizes: '--blended-size',
    shave: '--shave',
    metrics: '--metric',
    tokenFile: '--token-file',
    port: '--port',
    grpcPort: '--grpc-port',
  }),
);

/** The message with options in it as they are written on the command line. */
function messageOf({ message, parameter = '' }: TlscError): string {
  const named = message.replace(/\bthe option (\w+)/g, (words, name: string) => options.get(name) ?? words);
  const written = options.get(parameter);
  if (named !== message || !written) return named;
  return message.replace(new RegExp(`\\b${parameter}\\b`), () => written);
}

/** How an option of the API is written on the command line. */
export function optionName(name: string): string {
  return options.get(name) ?? name;
}

export function reportOf(error: TlscError): ErrorReport {
  return { code: error.code, message: messageOf(error) };
}

/** What shells report of a command that Ctrl-C has stopped. */
const interrupted = 130;

/** The first Ctrl-C asks the work to stop; a second one ends the process. */
function abortOnInterrupt(): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController();
  const interrupt = () => controller.abort(new Error('interrupted'));
  process.once('SIGINT', interrupt);
  return { signal: controller.signal, done: () => process.off('SIGINT', interrupt) };
}

/**
 * Runs a command's work, then prints what it made as JSON, or calls `show`. An error of the API becomes one line (or a JSON
 * object) and exit code 1, or that of an interruption; any other error is a bug and passes through.
 */
export async function perform<T>(
  options: OutputOptions,
  work: (signal: AbortSignal) => Promise<T>,
  show: (result: T) => void,
): Promise<void> {
  const { signal, done } = abortOnInterrupt();
  try {
    const result = await work(signal);
    if (options.json) console.log(JSON.stringify(result, null, 2));
    else show(result);
  } catch (error) {
    if (!(error instanceof TlscError)) throw error;
    process.exitCode = 1;
    const report = reportOf(error);
    if (options.json) console.log(JSON.stringify({ error: report }, null, 2));
    else console.error(`tlsc: ${report.message} (${report.code})`);
  } finally {
    if (signal.aborted) process.exitCode = interrupted;
    done();
  }
}
