import { makeNode } from '../graph/proto.js';
import { ChannelParameters } from '../rewrite/channel-parameters.js';
import {
  featureSizeOf,
  imageTypeOf,
  isOfFixedSize,
  type Match,
  type Refusal,
  type Rule,
  windowAttributes,
} from '../rewrite/rule.js';
import { findWrittenNormalization } from '../rewrite/written-normalization.js';

const operator = 'LocalInstanceNormalization';

/** Instance normalization by its formula, in means, differences and a root. Scale and shift, if there are any, stay behind it. */
export const writtenInstanceNormalization: Rule = {
  name: 'written-instance-normalization',
  seeks: 'the variance of an instance normalization that is written out',
  isCertain: () => true,

  recognizes(graph, node) {
    return findWrittenNormalization(graph, node) !== undefined;
  },

  check(context, node): Match | Refusal | undefined {
    const { graph, shapes } = context;
    const written = findWrittenNormalization(graph, node);
    if (!written) return undefined;
    const { image, epsilon, last, nodes } = written;
    if (isOfFixedSize(context, image)) return undefined;
    const covers = new Set([...nodes].filter((one) => one !== node));
    const type = imageTypeOf(context, node, image);
    if (typeof type === 'object') return { ...type, covers };
    return {
      featureSize: featureSizeOf(context, node, image),
      operators: [operator],
      type,
      covers,
      rewrite(window) {
        const channels = shapes.get(image)?.[1] ?? 0;
        const parameters = new ChannelParameters(graph, last, type, channels);
        const filled = (value: number, name: string) =>
          parameters.toValue({ values: Array(channels).fill(value) }, `${last.output[0]}_${name}`);
        const attributes = { ...windowAttributes(window), epsilon: { float: epsilon } };
        const input = [image, filled(1, 'scale'), filled(0, 'bias')];
        graph.replace(
          last,
          makeNode(operator, input, last.output, { domain: 'tlsc', name: last.name, attributes }),
        );
      },
    };
  },
};
