/** What was put together, a line for each kind of operator. */
export function fusedLines(fused: readonly { readonly operator: string }[]): string[] {
  const counts = new Map<string, number>();
  for (const { operator } of fused) counts.set(operator, (counts.get(operator) ?? 0) + 1);
  return [...counts].map(([operator, count]) => `Fused, to run in one pass: ${count} ${operator}.`);
}
