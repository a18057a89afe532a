// What nodes compute on the way to a normalization over channels, as formulas of the image x that it normalizes.
import type { View } from './views.js';

/** A step of scale and shift: by a constant of these dimensions, which has one number per channel or one for all. */
export interface ChannelStep {
  readonly kind: 'scale' | 'shift';
  readonly value: string;
  readonly dims: readonly number[];
}

/** 1 / sqrt(times · variance + epsilon) is what it is divided by. */
export interface Deviation {
  readonly times: number;
  readonly epsilon: number;
}

export type Form =
  /** x, or x - mean(x); divided by its deviation; and what then was done by channel. */
  | {
      readonly kind: 'image';
      readonly centred: boolean;
      readonly by: Deviation | undefined;
      readonly steps: readonly ChannelStep[];
    }
  /** times · mean(x) */
  | { readonly kind: 'mean'; readonly times: number }
  /** x², or (x - mean(x))² */
  | { readonly kind: 'square'; readonly centred: boolean }
  /** times · mean(x²) */
  | { readonly kind: 'mean square'; readonly times: number }
  /** mean(x)² */
  | { readonly kind: 'squared mean' }
  /** times · variance(x) + epsilon */
  | ({ readonly kind: 'variance' } & Deviation)
  /** sqrt(times · variance(x) + epsilon) */
  | ({ readonly kind: 'deviation' } & Deviation)
  /** 1 / sqrt(times · variance(x) + epsilon), and what then was done by channel. */
  | ({ readonly kind: 'factor'; readonly steps: readonly ChannelStep[] } & Deviation);

/** What a value is, and how its elements lie. */
export interface Known {
  readonly form: Form;
  readonly view: View;
}
