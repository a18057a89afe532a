// What a server does under load. Measures, and fails where an answer is wrong or missing; no time is asserted.
//
// node main.js [--seconds n] [--rounds n] [--requests n] [capacity] [overload] [mixed] [end]
import { rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureCapacity } from './capacity.js';
import { makeSetting, type Setting } from './setting.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    requests: { type: 'string', default: '5000' },
  },
});
const scenarios: Readonly<Record<string, (setting: Setting) => Promise<unknown>>> = {
  capacity: measureCapacity,
};
console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}`);
const setting = await makeSetting(Number(values.seconds), Number(values.rounds));
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(scenarios)) {
    const scenario = scenarios[name];
    if (!scenario) throw new Error(`there is no scenario ${name}, but ${Object.keys(scenarios).join(', ')}`);
    await scenario(setting);
  }
} finally {
  await rm(setting.folder, { recursive: true });
}
