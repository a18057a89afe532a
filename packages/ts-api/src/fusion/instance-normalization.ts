// What stands around a local instance normalization: LeakyRelu behind it, and channels that pass it by (HINet).
import { attributeOf, floatOf, intOf, makeNode, type NodeProto } from '../graph/proto.js';
import { partsOf } from './channel-parts.js';
import { constantIn, typeOf } from './constants.js';
import { type Fusion, type FusionContext, isImage, isReadBy, namesake, onlyReader } from './context.js';

const channels = 1;

/** Where the first half of an image's channels is normalized, and the second comes behind it as it is: the image, and the node that joins them. */
function halfOf(context: FusionContext, node: NodeProto) {
  const { graph } = context;
  const [first = ''] = node.input;
  const join = onlyReader(context, node.output[0] ?? '', 'Concat');
  const [source = ''] = graph.producer(first)?.input ?? [];
  if (!join || intOf(join, 'axis', 0) !== channels || !isImage(context, source)) return undefined;
  const parts = partsOf(context, source, 2);
  const isJoined = parts && join.input.join() === [node.output[0], parts[1]].join();
  const isOnItsOwn =
    isJoined && isReadBy(context, parts[0] ?? '', [node]) && isReadBy(context, parts[1] ?? '', [join]);
  return isOnItsOwn && parts[0] === first ? { source, join } : undefined;
}

export function instanceNormalization(context: FusionContext, node: NodeProto): Fusion | undefined {
  const { graph } = context;
  if (node.domain !== 'tlsc' || node.opType !== 'LocalInstanceNormalization') return undefined;
  const [image = '', scale = '', bias = ''] = node.input;
  const tensor = constantIn(context, scale);
  if (!tensor) return undefined;
  const half = halfOf(context, node);
  const result = half?.join ?? node;
  const relu = onlyReader(context, result.output[0] ?? '', 'LeakyRelu');
  const alpha = relu ? floatOf(relu, 'alpha', 0.01) : 1;
  if ((!half && !relu) || !Number.isFinite(alpha)) return undefined;
  const last = relu ?? result;
  const operator = half ? 'LocalHalfInstanceNormalizationLeakyRelu' : 'LocalInstanceNormalizationLeakyRelu';
  return {
    operator,
    type: typeOf(tensor),
    rewrite() {
      const attributes = { alpha: { float: alpha } };
      const noted = namesake(node, last);
      const options = { domain: 'tlsc', name: noted.name, attributes };
      const made = makeNode(operator, [half?.source ?? image, scale, bias], last.output, options);
      for (const name of ['kernel_shape', 'epsilon', 'max_stride']) {
        const own = attributeOf(node, name);
        if (own) made.attribute.push(own);
      }
      graph.replace(last, made, noted);
      return made;
    },
  };
}
