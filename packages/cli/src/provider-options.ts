import type { ExecutionProvider } from '@tlsc/api';
import type { Command } from 'commander';
import { collect, parseCount } from './parse.js';

export interface ProviderFlags {
  readonly provider?: readonly string[];
  readonly device?: number;
}

export function addProviderOptions(command: Command): Command {
  return command
    .option(
      '--provider <name>',
      'execution provider: cpu (default), cuda or another of ONNX Runtime; given again, the next to try',
      collect,
    )
    .option('--device <n>', 'which card, with --provider cuda (default: 0)', parseCount);
}

export function checkProvider({ provider, device }: ProviderFlags, refuse: (message: string) => void): void {
  if (device !== undefined && !provider?.includes('cuda'))
    refuse('--device is of use with --provider cuda alone');
}

/** As sessions take them. */
export function providersIn({ provider = ['cpu'], device }: ProviderFlags): ExecutionProvider[] {
  return provider.map((name) =>
    name === 'cuda' && device !== undefined ? { name, deviceId: device } : name,
  );
}
