// What files do to tlsc, each call in a process of its own: node test/dist/fuzz/replay.js [--side N] FILE…
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type CallName, modelCalls } from './calls.js';
import { attemptAlone } from './subject.js';

const { values, positionals } = parseArgs({
  options: { side: { type: 'string' } },
  allowPositionals: true,
});
const side = values.side === undefined ? undefined : Number(values.side);
for (const file of positionals) {
  const bytes = readFileSync(file);
  const calls: readonly CallName[] = file.endsWith('.onnx') ? modelCalls : ['readPhoto'];
  for (const call of calls) {
    const { outcomes, finding } = await attemptAlone(bytes, [call], { side });
    const [outcome] = outcomes;
    const ended = outcome ? `${outcome.code || 'ended'} after ${Math.round(outcome.ms)} ms` : '';
    console.log(`${file} ${call}: ${finding ? `${finding.kind}: ${finding.detail}` : ended}`);
    if (finding) process.exitCode = 1;
  }
}
