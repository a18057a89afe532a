import type { Size } from '@tlsc/api';

/** A way to come by an image. */
export type Method =
  /** The input as it is. */
  | { readonly kind: 'input' }
  /** The original model on the whole photo. */
  | { readonly kind: 'global' }
  /** The original model on tiles of a size, laid side by side, or every half of that and blended where they overlap. */
  | { readonly kind: 'patches'; readonly size: number; readonly blended: boolean }
  /** The converted model on the whole photo. */
  | { readonly kind: 'local'; readonly baseSize: Size; readonly fast: boolean };

export function showSize([height, width]: Size): string {
  return height === width ? String(height) : `${height}x${width}`;
}

/** As reports call it. */
export function titleOf(method: Method): string {
  switch (method.kind) {
    case 'input':
      return 'input';
    case 'global':
      return 'global';
    case 'patches':
      return `tiles of ${method.size}${method.blended ? ', blended' : ''}`;
    case 'local':
      return `local ${showSize(method.baseSize)}${method.fast ? ', fast' : ''}`;
  }
}

export function isSameMethod(one: Method, other: Method): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
