// What files do to tlsc, each call in a process of its own: node test/dist/fuzz/replay.js FILE…
import { readFileSync } from 'node:fs';
import { type CallName, modelCalls } from './calls.js';
import { attemptAlone } from './subject.js';

for (const file of process.argv.slice(2)) {
  const bytes = readFileSync(file);
  const calls: readonly CallName[] = file.endsWith('.onnx') ? modelCalls : ['readPhoto'];
  for (const call of calls) {
    const { outcomes, finding } = await attemptAlone(bytes, [call]);
    const [outcome] = outcomes;
    const ended = outcome ? `${outcome.code || 'ended'} after ${Math.round(outcome.ms)} ms` : '';
    console.log(`${file} ${call}: ${finding ? `${finding.kind}: ${finding.detail}` : ended}`);
    if (finding) process.exitCode = 1;
  }
}
