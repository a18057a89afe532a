// The C++ side and Node.js on a processor that is not here: arm64, emulated by QEMU.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, read, root, run, say } from '../lib.mjs';
import { buildPreset } from '../steps/native.mjs';
import { compilersOf, provideCompilers } from './linux-compilers.mjs';
import { runtimeLibrary } from './onnxruntime-library.mjs';
import { cmakeArgsFor } from './prebuilds.mjs';

// ONNX Runtime crashes where it finds another processor's description, and QEMU shows that of the host.
const processor = `Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1
`;

/** The command, with its first arguments, that runs a program for arm64. */
export function provideEmulator() {
  if (read('qemu-aarch64', ['--version']) === undefined)
    throw new Failure('qemu-aarch64 was not found', 'Install it (Debian: apt install qemu-user).');
  provideCompilers('linux-arm64');
  const { folder, triplet } = compilersOf('linux-arm64');
  const prefix = join(folder, 'usr', triplet);
  mkdirSync(join(prefix, 'proc'), { recursive: true });
  const processors = [0, 1].map((id) => `processor\t: ${id}\n${processor}\n`);
  writeFileSync(join(prefix, 'proc', 'cpuinfo'), processors.join(''));
  return ['qemu-aarch64', '-L', prefix];
}

/** Of the tests of preset arm64, those that take half a minute together. */
const quick = ['local_average_pool_test', 'local_windows_test', 'session_test'];
const others = [
  'channel_normalization_test',
  'depthwise_conv_test',
  'executor_test',
  'gate_test',
  'local_group_normalization_test',
  'local_instance_normalization_test',
  'local_instance_normalization_leaky_relu_test',
  'local_transposed_attention_test',
  'pointwise_conv_test',
  'register_test',
  'replicate_scale_test',
];

/** Builds tests of the C++ side for arm64 and runs them emulated: a part of them, or with `--all` all that make sense there. */
export async function testArm64(args) {
  const [command, ...prefix] = provideEmulator();
  const targets = args.includes('--all') ? [...quick, ...others] : quick;
  buildPreset('arm64', { cmakeArgs: cmakeArgsFor('linux-arm64'), targets });
  const env = { TLSC_ONNXRUNTIME: await runtimeLibrary('linux-arm64') };
  for (const target of targets) {
    say(`${target}, emulated`);
    const file = join(root, 'cpp', 'build', 'arm64', target);
    run(command, [...prefix, file, '--gtest_brief=1'], { env });
  }
}
