// The options that say what the values of a network's pixels mean.
import { channelOrders, type ValueOptions } from '@tlsc/api';
import { type Command, Option } from 'commander';
import { parsePerChannel, parseRange } from './parse.js';

/** The same words as in the API. */
export function addValueOptions(command: Command): Command {
  return command
    .option(
      '--range <black..white>',
      "the values of black and white that the network takes (default: 0..1, or the model's word)",
      parseRange,
    )
    .option(
      '--mean <numbers>',
      'what is subtracted from such values: one number, or one per channel',
      parsePerChannel,
    )
    .option(
      '--std <numbers>',
      'what the difference is divided by: one number, or one per channel',
      parsePerChannel,
    )
    .option(
      '--output-range <black..white>',
      'the values of black and white in the output, where they are others',
      parseRange,
    )
    .addOption(
      new Option(
        '--channels <order>',
        'rgb (default) or bgr; of a colour photo for a network of one channel gray, or y, which keeps the colours',
      ).choices([...channelOrders]),
    )
    .addOption(
      new Option(
        '--gray <how>',
        'rgb: give a network of three channels a gray photo three times, and take the mean',
      ).choices(['rgb']),
    );
}

/** Those that are given. */
export function valuesIn({ range, mean, std, outputRange, channels, gray }: ValueOptions): ValueOptions {
  return {
    ...(range && { range }),
    ...(mean !== undefined && { mean }),
    ...(std !== undefined && { std }),
    ...(outputRange && { outputRange }),
    ...(channels && { channels }),
    ...(gray && { gray }),
  };
}
