// What a server does under load. Measures, and fails where an answer is wrong or missing; no time is asserted.
//
// node main.js [--seconds n] [--rounds n] [--overload-seconds n] [--requests n] [capacity] [overload] [mixed] [end]
import { rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureCapacity } from './capacity.js';
import { measureEnd } from './end.js';
import { measureMixed } from './mixed.js';
import { measureOverload } from './overload.js';
import { makeSetting, type Setting } from './setting.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    'overload-seconds': { type: 'string', default: '60' },
    requests: { type: 'string', default: '5000' },
  },
});
const scenarios: Readonly<Record<string, (setting: Setting) => Promise<unknown>>> = {
  capacity: measureCapacity,
  overload: measureOverload,
  end: measureEnd,
  mixed: measureMixed,
};
console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}`);
const setting = await makeSetting({
  seconds: Number(values.seconds),
  rounds: Number(values.rounds),
  overloadSeconds: Number(values['overload-seconds']),
  requests: Number(values.requests),
});
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(scenarios)) {
    const scenario = scenarios[name];
    if (!scenario) throw new Error(`there is no scenario ${name}, but ${Object.keys(scenarios).join(', ')}`);
    await scenario(setting);
  }
} finally {
  await rm(setting.folder, { recursive: true });
}
