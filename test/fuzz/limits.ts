/** What any call may take, whatever file it is given. */
export const limits = {
  callMs: 5_000,
  /** What calls give themselves by their signal. */
  deadlineMs: 2_500,
  /** Of the whole process. */
  memoryBytes: 2 ** 30,
  /** How late a timer may fire. */
  stallMs: 200,
  /** For a process that has nothing left to do. */
  exitMs: 5_000,
} as const;
