import { Command, Option } from 'commander';
import { loadServer } from '../load-package.js';
import {
  collect,
  parseBytes,
  parseDrain,
  parseJobs,
  parsePending,
  parsePixels,
  parsePort,
  parseSeconds,
} from '../parse.js';
import { perform } from '../perform.js';
import { addProviderOptions, checkProvider, type ProviderFlags, providersIn } from '../provider-options.js';

interface Options extends ProviderFlags {
  readonly host?: string;
  readonly port?: number;
  readonly grpcPort?: number;
  readonly concurrency?: number;
  readonly threads?: number;
  readonly memory?: number;
  readonly maxPending?: number;
  readonly maxPixels?: number;
  readonly maxBody?: number;
  readonly deadline?: number;
  readonly tokenFile?: string;
  readonly origin?: readonly string[];
  readonly drain?: number;
  readonly grace?: number;
  readonly logLevel: string;
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

const milliseconds = (seconds: number | undefined) =>
  seconds === undefined ? undefined : Math.round(seconds * 1000);

/** What is there of an object's values. */
function given<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** Serves until it is told to end; resolves when whoever was at work has been served. */
async function serveModels(
  models: readonly string[],
  options: Options,
  interrupted: AbortSignal,
): Promise<void> {
  const { serve } = await loadServer();
  const { concurrency, threads, memory, maxPending, maxPixels, deadline } = options;
  const { host, port, grpcPort, tokenFile, origin: origins, maxBody, drain, grace, logLevel } = options;
  const pool = given({
    concurrency,
    threads,
    memory,
    maxPending,
    maxPixels,
    deadline: milliseconds(deadline),
    session: { executionProviders: providersIn(options), logSeverityLevel: 4 as const },
    signal: interrupted,
  });
  // Until there is a server there is nothing to look for again; without a listener the process would end.
  let reload = async () => {};
  const onHangup = () => void reload();
  process.on('SIGHUP', onHangup);
  const served = await serve({
    models,
    pool,
    logger: { level: logLevel },
    ...given({
      host,
      port,
      grpcPort,
      tokenFile,
      origins,
      maxBody,
      drain: milliseconds(drain),
      grace: milliseconds(grace),
    }),
  });
  const { log } = served.app;
  log.info({ models: served.models, address: served.address, grpcPort: served.grpcPort }, 'serving');
  reload = async () => {
    try {
      const { loaded, unloaded, failed } = await served.reload();
      for (const [name, error] of failed) log.error(error, `${name} stays as it was`);
      log.info({ loaded, unloaded }, 'looked for models again');
    } catch (error) {
      log.error(error, 'all models stay as they were');
    }
  };
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    interrupted.addEventListener('abort', () => resolve(), { once: true });
  });
  log.info('ending: nobody else is let in');
  await served.close();
  process.off('SIGHUP', onHangup);
}

const help = `
Photos are restored by POST to /v1/models/NAME/restore, and models run on tensors by the Open Inference Protocol, at /v2 and over gRPC. A page to try them on is at /, metrics for Prometheus at /metrics, a description of all at /openapi.json.

nafnet.local.onnx is called nafnet; a nafnet.onnx beside it, which it was converted from, nafnet.original.

SIGTERM: not ready any more, serves whoever is at work, ends. SIGHUP: looks for models again, and replaces those that have changed.

Example:
  tlsc serve models/ --port 8080
  tlsc serve nafnet.local.onnx --memory 4GB --max-pending 32 --deadline 60
  tlsc serve models/ --host 0.0.0.0 --token-file tokens.txt --grpc-port 8081
  curl --data-binary @photo.jpg -H 'content-type: image/jpeg' http://127.0.0.1:8080/v1/models/nafnet/restore > restored.jpg`;

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('Serve models over HTTP and gRPC: photos in, photos out, or tensors.')
    .argument('<models...>', 'ONNX files, converted or not, or folders of them')
    .option('--host <address>', 'where to listen (default: 127.0.0.1, which nobody else can reach)')
    .option('--port <n>', 'for HTTP; 0 is any that is free (default: 8080)', parsePort)
    .option('--grpc-port <n>', 'for gRPC (default: none)', parsePort)
    .option('--concurrency <n>', 'runs of networks at once (default: what is fastest when tried)', parseJobs)
    .option('--threads <n>', 'threads of each run (default: what --concurrency leaves)', parseJobs)
    .option(
      '--memory <bytes>',
      'what all photos under way may take together: 4GB for example (default: 0.7 of what the machine has left)',
      parseBytes,
    )
    .option(
      '--max-pending <n>',
      'how many may wait; the next is answered 503 at once (default: 64)',
      parsePending,
    )
    .option('--max-pixels <n>', 'refuse images that have more (default: 268402689)', parsePixels)
    .option('--max-body <bytes>', 'refuse bodies that have more (default: 100MB)', parseBytes)
    .option('--deadline <seconds>', 'give up what is not done by then (default: none)', parseSeconds)
    .option('--token-file <file>', 'answer those alone who have one of these bearer tokens, one per line')
    .option(
      '--origin <url>',
      'where browsers find the page, behind a proxy: https://photos.example (repeatable)',
      collect,
    )
    .option('--drain <seconds>', 'time from SIGTERM until nobody else is let in (default: 1)', parseDrain)
    .option('--grace <seconds>', 'time that whoever is at work then may take yet (default: 30)', parseSeconds)
    .addOption(
      new Option('--log-level <level>', 'of the log, in JSON on standard output')
        .choices(levels)
        .default('info'),
    );
  addProviderOptions(command).addHelpText('after', help);
  return command.action((models: string[], options: Options) => {
    checkProvider(options, (message) => command.error(`error: ${message}`));
    return perform(
      {},
      (signal) => serveModels(models, options, signal),
      () => {},
    );
  });
}
