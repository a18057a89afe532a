// What the values of a network's pixels mean, and how photos become such values and results photos again.
import { invalidArgument, TlscError } from '../errors.js';
import type { ChannelMap, PixelMap } from '../session/copy-image.js';
import { asItIs } from '../session/copy-image.js';

/** Orders of channels, and what of a colour photo a network of one channel takes. */
export const channelOrders = ['rgb', 'bgr', 'gray', 'y'] as const;
export type ChannelOrder = (typeof channelOrders)[number];

/** What the values of a network's pixels mean. `convert` records it in the model; what is given here goes before that. */
export interface ValueOptions {
  /** The values of black and of white. Default: [0, 1]. */
  readonly range?: readonly [black: number, white: number] | undefined;
  /**
   * What is subtracted from such values, and what the difference is divided by, before the network sees it, and what the output is
   * multiplied by and gets added: one number, or one per channel in the network's order. Default: 0 and 1.
   */
  readonly mean?: number | readonly number[] | undefined;
  readonly std?: number | readonly number[] | undefined;
  /** The values of black and white in the output where they are others than in the input; `mean` and `std` then do not apply to it. */
  readonly outputRange?: readonly [black: number, white: number] | undefined;
  /**
   * The order of the channels: 'rgb' (default) or 'bgr'. For a network of one channel 'gray' makes a colour photo gray; 'y' gives it the
   * luma and keeps the colours, which grow with the photo if it does. Luma is ITU-R BT.601's, of full range, as in JPEG.
   */
  readonly channels?: ChannelOrder | undefined;
  /** 'rgb' gives a network of three channels a gray photo three times, and takes the mean of what it makes. */
  readonly gray?: 'rgb' | undefined;
}

/** Known to `checkOptions`. */
export const valueOptionNames = {
  range: true,
  mean: true,
  std: true,
  outputRange: true,
  channels: true,
  gray: true,
} as const;

type Range = readonly [number, number];

function isRange(value: unknown): value is Range {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] < value[1];
}

function isPerChannel(value: unknown, fits: (one: number) => boolean): value is number | readonly number[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return [1, 3].includes(list.length) && list.every((one) => Number.isFinite(one) && fits(one as number));
}

/** Throws ERR_INVALID_ARGUMENT, the option named, where one of them is wrong. */
export function checkValues(options: ValueOptions): void {
  const { range, mean, std, outputRange, channels, gray } = options;
  const expected = 'two numbers, the values of black and of white, the lower one first';
  if (range !== undefined && !isRange(range)) throw invalidArgument('range', expected, range);
  if (outputRange !== undefined && !isRange(outputRange))
    throw invalidArgument('outputRange', expected, outputRange);
  if (mean !== undefined && !isPerChannel(mean, () => true))
    throw invalidArgument('mean', 'a number, or three', mean);
  if (std !== undefined && !isPerChannel(std, (one) => one > 0))
    throw invalidArgument('std', 'a number above 0, or three', std);
  if (channels !== undefined && !channelOrders.includes(channels))
    throw invalidArgument(
      'channels',
      `one of ${channelOrders.map((name) => `'${name}'`).join(', ')}`,
      channels,
    );
  if (gray !== undefined && gray !== 'rgb') throw invalidArgument('gray', "'rgb'", gray);
}

/** Those of the options that are given; undefined where none is. */
export function givenValues(options: ValueOptions): ValueOptions | undefined {
  const given = Object.keys(valueOptionNames).flatMap((name) => {
    const value = options[name as keyof ValueOptions];
    return value === undefined ? [] : [[name, value] as const];
  });
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

/** Of a model's custom metadata. */
export const valuesKey = 'tlsc.values';

/** What a model says that its values mean. Throws ERR_INVALID_MODEL where that makes no sense. */
export function recordedValues(metadata: Readonly<Record<string, string>>): ValueOptions {
  const text = metadata[valuesKey];
  if (text === undefined) return {};
  try {
    const recorded: unknown = JSON.parse(text);
    if (typeof recorded !== 'object' || recorded === null) throw new Error('it is no object');
    checkValues(recorded);
    return givenValues(recorded) ?? {};
  } catch (cause) {
    const message = `the model's metadata ${valuesKey} makes no sense: ${(cause as Error).message}`;
    throw new TlscError('ERR_INVALID_MODEL', message, { cause });
  }
}

/** ITU-R BT.601. */
const luma = [0.299, 0.587, 0.114];

function at(values: number | readonly number[] | undefined, channel: number, otherwise: number): number {
  if (values === undefined) return otherwise;
  return typeof values === 'number' ? values : (values[channel] ?? values[0] ?? otherwise);
}

function refuseChannels(name: string, colours: number, expected: number, remedy: string): TlscError {
  const say = (count: number) => `${count} ${count === 1 ? 'channel (gray)' : 'channels'}`;
  return new TlscError(
    'ERR_IMAGE_CHANNELS',
    `${name} has ${say(colours)}, the model takes ${say(expected)}${remedy}`,
    {
      parameter: 'image',
      expected: String(expected),
      received: String(colours),
    },
  );
}

/** Of the photo's channels, what each channel of a network with so many is made of. */
function mixFor(values: ValueOptions, colours: number, count: number, name: string): (readonly number[])[] {
  const { channels = 'rgb', gray } = values;
  const ofOne = channels === 'gray' || channels === 'y';
  if (count === 1 && colours === 3) {
    if (ofOne) return [luma];
    throw refuseChannels(name, colours, count, '; the option channels says what of it to take: gray or y');
  }
  if (count === 3 && colours === 1) {
    if (gray === 'rgb') return [[1], [1], [1]];
    throw refuseChannels(
      name,
      colours,
      count,
      '; the option gray, set to rgb, gives it the same three times',
    );
  }
  if (count !== colours) throw refuseChannels(name, colours, count, '');
  const order = channels === 'bgr' && colours === 3 ? [2, 1, 0] : [0, 1, 2].slice(0, colours);
  return order.map((channel) => asItIs(channel).weights);
}

/** How a photo of so many colours becomes what a network of so many channels takes. Throws ERR_IMAGE_CHANNELS. */
export function toNetwork(values: ValueOptions, colours: number, count: number, name: string): PixelMap {
  const [black, white] = values.range ?? [0, 1];
  return mixFor(values, colours, count, name).map((weights, channel) => {
    const std = at(values.std, channel, 1);
    const add = (black - at(values.mean, channel, 0)) / std;
    return { weights, multiply: white - black, divide: std, add };
  });
}

/** How what a network has made of a photo of so many colours becomes a photo: its channels, 1 or 3. */
export function fromNetwork(values: ValueOptions, colours: number, made: number): PixelMap {
  const { outputRange, channels, gray } = values;
  const [black, white] = outputRange ?? values.range ?? [0, 1];
  const plain = outputRange !== undefined;
  const std = (channel: number) => (plain ? 1 : at(values.std, channel, 1));
  const mean = (channel: number) => (plain ? 0 : at(values.mean, channel, 0));
  const alone = (channel: number): ChannelMap => ({
    ...asItIs(channel),
    multiply: std(channel),
    divide: white - black,
    add: (mean(channel) - black) / (white - black),
  });
  if (made === 1) return [alone(0)];
  if (colours === 1 && gray === 'rgb') {
    const means = [0, 1, 2].map(mean).reduce((sum, one) => sum + one) / 3;
    const weights = [0, 1, 2].map((channel) => std(channel) / 3);
    return [{ weights, multiply: 1, divide: white - black, add: (means - black) / (white - black) }];
  }
  return (channels === 'bgr' ? [2, 1, 0] : [0, 1, 2]).map(alone);
}

/**
 * For colours whose luma is to be another: red, green, blue and the new luma in, red, green and blue out. The difference goes to all
 * three, which is what becomes of Y'CbCr when Cb and Cr are kept.
 */
export const withLuma: PixelMap = [0, 1, 2].map((channel) => ({
  weights: [...luma.map((weight, k) => (k === channel ? 1 : 0) - weight), 1],
  multiply: 1,
  divide: 1,
  add: 0,
}));
