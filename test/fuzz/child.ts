// A process that does with one file after the other what its parent asks for, and tells how it went. It may die of it.
import { errorCodes } from '@tlsc/api';
import { type CallName, calls, faultOf, type Progress } from './calls.js';
import { LoopWatch } from './loop-watch.js';
import type { Done, Fault, Order, Outcome, Reply } from './messages.js';

const watch = new LoopWatch();
/** What no call rejected with, and should not have been thrown. */
const strays: unknown[] = [];
process.on('unhandledRejection', (reason) => strays.push(reason));
process.on('uncaughtException', (error) => strays.push(error));

function say(reply: Reply): void {
  process.send?.(reply);
}

async function perform(call: CallName, bytes: Uint8Array, progress: Progress): Promise<Outcome> {
  say({ begun: call });
  let code = '';
  let fault: Fault | undefined;
  const begun = performance.now();
  watch.begin();
  try {
    // A copy, so that no call sees what another has done to it.
    fault = await calls[call](new Uint8Array(bytes), progress);
  } catch (error) {
    fault = faultOf(error, errorCodes);
    code = (error as { code?: string } | undefined)?.code ?? '';
  }
  const stallMs = watch.end();
  const ms = performance.now() - begun;
  if (strays.length > 0) fault = faultOf(strays.splice(0)[0], []);
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  return { call, code, fault, ms, stallMs, peakBytes };
}

process.on('message', async ({ bytes, calls: names, side }: Order) => {
  const progress: Progress = { side };
  const outcomes: Outcome[] = [];
  for (const name of names) outcomes.push(await perform(name, bytes, progress));
  say({ outcomes } satisfies Done);
});
