// Where a piece of a photo lies in it, told to the operators that cut windows.
import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import type { Graph } from '../graph/graph.js';
import { DataType, makeTensorInfo, type NodeProto } from '../graph/proto.js';
import { imageSidesOf, type LaidImage } from './laid-images.js';
import type { RuleContext } from './rule.js';

/**
 * An optional input of converted models that cut windows: first row and column of the image in the one that it is a piece of, height and width
 * of that one; all 0, as it is unless it is fed, of an image that is no piece.
 */
export const placeInputName = 'tlsc_place';

/** By how much images are larger than the planes of a layer, and what they are filled up to multiples of before. */
interface Scale {
  readonly scale: number;
  readonly multiple: number;
}

/** How many times its scale an image may be filled up to multiples of. */
const mostTimes = 64;

/**
 * Undefined where planes are no whole part of the image, or not the same along both sides: nobody can say then where those of a piece lie. Of
 * several multiples that would do for the sizes that were seen the smallest.
 */
function scaleOf({ looks }: RuleContext, { image, layout }: LaidImage): Scale | undefined {
  const lengths = looks.flatMap(({ size, shapes }) => {
    const shape = shapes.get(image);
    if (!shape) return [];
    const { plane } = imageSidesOf(shape, layout);
    return [0, 1].map((axis) => [size[axis as 0 | 1], plane[axis as 0 | 1]] as const);
  });
  const [[side, planeSide] = [0, 1]] = lengths;
  const scale = Math.round(side / planeSide);
  if (scale < 1) return undefined;
  for (let multiple = scale; multiple <= mostTimes * scale; multiple += scale) {
    const fits = lengths.every(([whole, made]) => Math.ceil(whole / multiple) * multiple === made * scale);
    if (fits) return { scale, multiple };
  }
  return undefined;
}

/** The input, made where it is not there yet. */
function placeInputOf(graph: Graph): string {
  if (graph.constant(placeInputName)) return placeInputName;
  graph.addOptionalInput(
    create(TensorProtoSchema, {
      name: placeInputName,
      dataType: DataType.INT64,
      dims: [4n],
      int64Data: [0n, 0n, 0n, 0n],
    }),
    makeTensorInfo(placeInputName, DataType.INT64, [4]),
  );
  return placeInputName;
}

/** The place of the planes of an image that is laid in rows, computed in front of `node`. */
export function placeOf(context: RuleContext, node: NodeProto, laid: LaidImage): string {
  const { graph } = context;
  const known = scaleOf(context, laid);
  if (!known) return graph.addIntegers('no_place', [0, 0, 0, 0]);
  const { scale, multiple } = known;
  const name = `${laid.image}_place`;
  const number = (values: readonly number[]) => graph.addIntegers(name, values);
  // Pieces begin at multiples of the scale; the whole is filled up.
  const short = number([0, 0, multiple - 1, multiple - 1]);
  const raised = graph.insertBefore(node, name, 'Add', [placeInputOf(graph), short]);
  const divided = [raised, number([scale, scale, multiple, multiple])];
  const parts = graph.insertBefore(node, name, 'Div', divided);
  const times = multiple / scale;
  return graph.insertBefore(node, name, 'Mul', [parts, number([1, 1, times, times])]);
}
