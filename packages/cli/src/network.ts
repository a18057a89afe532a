import type { Sides, ValueOptions } from '@tlsc/api';
import { optionName } from './perform.js';

/** What is known of a network, for those who run it. */
interface Network {
  readonly values: ValueOptions | undefined;
  readonly sides: Sides | undefined;
}

function showSides({ multiple, minimum }: Sides): string {
  if (minimum === 1) return 'takes images of any size';
  const least = minimum > multiple ? `, of ${minimum} at least` : '';
  return multiple === 1
    ? `takes images of any size from ${minimum} on; photos are filled up`
    : `takes sides that are multiples of ${multiple}${least}; photos are filled up`;
}

function showValues(values: ValueOptions): string {
  const given = Object.entries(values).map(([name, value]) => {
    const isRange = name === 'range' || name === 'outputRange';
    return `${optionName(name)} ${Array.isArray(value) ? value.join(isRange ? '..' : ',') : value}`;
  });
  return `values as of ${given.join(' ')}`;
}

export function networkLines({ values, sides }: Network): string[] {
  return [...(sides ? [showSides(sides)] : []), ...(values ? [showValues(values)] : [])];
}

export function showNetwork(network: Network): void {
  for (const line of networkLines(network)) console.log(line);
}
