import type { FrozenSize, TlscError } from '@tlsc/api';

/** Says on standard error which nodes keep a size of the past. */
export function warn(warnings: readonly FrozenSize[]): void {
  for (const { node, reason } of warnings) console.error(`tlsc: warning: ${node} ${reason}`);
  if (warnings.length > 0)
    console.error('tlsc: at other sizes the model is wrong or fails; export it with dynamic sizes');
}

/** Says on standard error what a session does without. */
export function warnOfSession(warnings: readonly TlscError[]): void {
  for (const { message, code } of warnings) console.error(`tlsc: warning: ${message} (${code})`);
}
