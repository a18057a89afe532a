// The ONNX operators that generated networks are made of, as plain float64 loops, straight from the specification.
import { attributeOf, floatOf, intOf, intsOf, type NodeProto } from '../../src/graph/proto.js';

/** A tensor of floats, or of integers, which float64 holds as well. */
export interface Values {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

type Inputs = readonly (Values | undefined)[];
type Operator = (inputs: Inputs, node: NodeProto) => readonly Values[];

export function countOf(dims: readonly number[]): number {
  return dims.reduce((product, side) => product * side, 1);
}

export function values(dims: readonly number[], data: Iterable<number>): Values {
  return { dims, data: Float64Array.from(data) };
}

function need(inputs: Inputs, index: number): Values {
  const found = inputs[index];
  if (!found) throw new Error(`input ${index} is missing`);
  return found;
}

const integers = (list: readonly number[]) => values([list.length], list);

function positive(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** How far apart the elements of a tensor are along each axis; 0 along the axes that it is repeated along to fill `dims`. */
function stridesFor({ dims: own }: Values, dims: readonly number[]): number[] {
  let step = 1;
  const strides = dims.map(() => 0);
  for (let axis = own.length - 1; axis >= 0; axis--) {
    strides[axis + dims.length - own.length] = own[axis] === 1 ? 0 : step;
    step *= own[axis] as number;
  }
  return strides;
}

/** Calls `visit` with each index of a tensor of these sides, in order. */
function forEachIndex(dims: readonly number[], visit: (index: readonly number[]) => void): void {
  const index = dims.map(() => 0);
  for (let i = 0; i < countOf(dims); i++) {
    visit(index);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if (index[axis] !== dims[axis]) break;
      index[axis] = 0;
    }
  }
}

function broadcastDims(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [left = 1, right = 1] = [a[i + a.length - rank], b[i + b.length - rank]];
    if (left !== right && left !== 1 && right !== 1) throw new Error(`[${a}] does not broadcast with [${b}]`);
    return left === 1 ? right : left;
  });
}

/** The same values read at other places: for each index of the result the offset in `x`. */
function gathered(
  x: Values,
  dims: readonly number[],
  offsetOf: (index: readonly number[]) => number,
): Values {
  const data = new Float64Array(countOf(dims));
  let i = 0;
  forEachIndex(dims, (index) => {
    data[i++] = x.data[offsetOf(index)] as number;
  });
  return { dims, data };
}

export function expand(x: Values, dims: readonly number[]): Values {
  const strides = stridesFor(x, dims);
  return gathered(x, dims, (index) =>
    index.reduce((sum, at, axis) => sum + at * (strides[axis] as number), 0),
  );
}

function elementwise(f: (value: number, node: NodeProto) => number): Operator {
  return (inputs, node) => {
    const x = need(inputs, 0);
    return [
      values(
        x.dims,
        Array.from(x.data, (value) => f(value, node)),
      ),
    ];
  };
}

function broadcasting(f: (a: number, b: number) => number): Operator {
  return (inputs) => {
    const [a, b] = [need(inputs, 0), need(inputs, 1)];
    const dims = broadcastDims(a.dims, b.dims);
    const right = expand(b, dims).data;
    return [
      values(
        dims,
        Array.from(expand(a, dims).data, (value, i) => f(value, right[i] as number)),
      ),
    ];
  };
}

function conv(inputs: Inputs, node: NodeProto): Values[] {
  const [x, w] = [need(inputs, 0), need(inputs, 1)];
  const [batch = 0, , height = 0, width = 0] = x.dims;
  const [outputs = 0, perGroup = 0, kh = 0, kw = 0] = w.dims;
  const [sy = 1, sx = 1] = intsOf(node, 'strides') ?? [];
  const [top = 0, left = 0, bottom = 0, right = 0] = intsOf(node, 'pads') ?? [];
  const outputsPerGroup = outputs / intOf(node, 'group', 1);
  const dims = [
    batch,
    outputs,
    Math.floor((height + top + bottom - kh) / sy) + 1,
    Math.floor((width + left + right - kw) / sx) + 1,
  ];
  const data: number[] = [];
  forEachIndex(dims, ([n = 0, o = 0, y = 0, z = 0]) => {
    let sum = inputs[2]?.data[o] ?? 0;
    const first = Math.floor(o / outputsPerGroup) * perGroup;
    for (let c = 0; c < perGroup; c++) {
      for (let i = 0; i < kh; i++) {
        for (let j = 0; j < kw; j++) {
          const [row, column] = [y * sy + i - top, z * sx + j - left];
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          const at = ((n * (x.dims[1] as number) + first + c) * height + row) * width + column;
          sum += (x.data[at] as number) * (w.data[((o * perGroup + c) * kh + i) * kw + j] as number);
        }
      }
    }
    data.push(sum);
  });
  return [values(dims, data)];
}

/** Without padding and groups. */
function convTranspose(inputs: Inputs, node: NodeProto): Values[] {
  const [x, w] = [need(inputs, 0), need(inputs, 1)];
  const [, outputs = 0, kh = 0, kw = 0] = w.dims;
  const [batch = 0, , height = 0, width = 0] = x.dims;
  const [sy = 1, sx = 1] = intsOf(node, 'strides') ?? [];
  const dims = [batch, outputs, (height - 1) * sy + kh, (width - 1) * sx + kw] as const;
  const data = new Float64Array(countOf(dims));
  forEachIndex(dims, ([n = 0, o = 0, y = 0, z = 0]) => {
    data[((n * outputs + o) * dims[2] + y) * dims[3] + z] = inputs[2]?.data[o] ?? 0;
  });
  let from = 0;
  forEachIndex(x.dims, ([n = 0, c = 0, row = 0, column = 0]) => {
    const value = x.data[from++] as number;
    forEachIndex([outputs, kh, kw], ([o = 0, i = 0, j = 0]) => {
      const to = ((n * outputs + o) * dims[2] + row * sy + i) * dims[3] + column * sx + j;
      data[to] = (data[to] as number) + value * (w.data[((c * outputs + o) * kh + i) * kw + j] as number);
    });
  });
  return [{ dims, data }];
}

/** Windows that do not overlap and fill the plane. */
function pooling(combine: (window: readonly number[]) => number): Operator {
  return (inputs, node) => {
    const x = need(inputs, 0);
    const [kh = 1, kw = 1] = intsOf(node, 'kernel_shape') ?? [];
    const [batch = 0, channels = 0, height = 0, width = 0] = x.dims;
    const dims = [batch, channels, Math.floor(height / kh), Math.floor(width / kw)];
    const data: number[] = [];
    forEachIndex(dims, ([n = 0, c = 0, y = 0, z = 0]) => {
      const window: number[] = [];
      forEachIndex([kh, kw], ([i = 0, j = 0]) => {
        window.push(x.data[((n * channels + c) * height + y * kh + i) * width + z * kw + j] as number);
      });
      data.push(combine(window));
    });
    return [values(dims, data)];
  };
}

const meanOf = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;

/** Nearest, asymmetric, rounded down. */
function resize(inputs: Inputs): Values[] {
  const x = need(inputs, 0);
  const scales = need(inputs, 2).data;
  const dims = x.dims.map((side, axis) => Math.floor(side * (scales[axis] as number)));
  const strides = stridesFor(x, dims);
  const from = (at: number, axis: number) =>
    Math.floor(at / (scales[axis] as number)) * (strides[axis] as number);
  return [gathered(x, dims, (index) => index.reduce((sum, at, axis) => sum + from(at, axis), 0))];
}

function depthToSpace(inputs: Inputs, node: NodeProto): Values[] {
  const x = need(inputs, 0);
  const block = intOf(node, 'blocksize', 1);
  const isCrd = new TextDecoder().decode(attributeOf(node, 'mode')?.s) === 'CRD';
  const [batch = 0, channels = 0, height = 0, width = 0] = x.dims;
  const outputs = channels / block ** 2;
  const dims = [batch, outputs, height * block, width * block];
  const offset = ([n = 0, c = 0, y = 0, z = 0]: readonly number[]) => {
    const within = (y % block) * block + (z % block);
    const channel = isCrd ? c * block ** 2 + within : within * outputs + c;
    return ((n * channels + channel) * height + Math.floor(y / block)) * width + Math.floor(z / block);
  };
  return [gathered(x, dims, offset)];
}

function concat(inputs: Inputs, node: NodeProto): Values[] {
  const parts = inputs.filter((part) => part !== undefined);
  const rank = need(inputs, 0).dims.length;
  const axis = positive(intOf(node, 'axis', 0), rank);
  const length = parts.reduce((sum, { dims }) => sum + (dims[axis] as number), 0);
  const dims = need(inputs, 0).dims.map((side, i) => (i === axis ? length : side));
  const data: number[] = [];
  const outer = countOf(dims.slice(0, axis));
  for (let i = 0; i < outer; i++)
    for (const part of parts) {
      const run = part.data.length / outer;
      data.push(...part.data.subarray(i * run, (i + 1) * run));
    }
  return [values(dims, data)];
}

function sliceOf(x: Values, axis: number, start: number, end: number): Values {
  const dims = x.dims.map((side, i) => (i === axis ? end - start : side));
  const inner = countOf(x.dims.slice(axis + 1));
  const outer = countOf(x.dims.slice(0, axis));
  const run = (x.dims[axis] as number) * inner;
  const parts = Array.from({ length: outer }, (_, i) => [
    ...x.data.subarray(i * run + start * inner, i * run + end * inner),
  ]);
  return values(dims, parts.flat());
}

function split(inputs: Inputs, node: NodeProto): Values[] {
  const x = need(inputs, 0);
  const axis = positive(intOf(node, 'axis', 0), x.dims.length);
  const side = x.dims[axis] as number;
  const even = Array.from(node.output, () => Math.ceil(side / node.output.length));
  let start = 0;
  return (inputs[1] ? [...inputs[1].data] : (intsOf(node, 'split') ?? even)).map((length) => {
    start += length;
    return sliceOf(x, axis, start - length, start);
  });
}

/** Without steps. */
function slice(inputs: Inputs): Values[] {
  const [starts, ends] = [need(inputs, 1), need(inputs, 2)];
  let x = need(inputs, 0);
  const axes = inputs[3]?.data ?? Float64Array.from(starts.data, (_, i) => i);
  axes.forEach((given, i) => {
    const axis = positive(given, x.dims.length);
    const side = x.dims[axis] as number;
    const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + side : at, 0), side);
    x = sliceOf(x, axis, clamp(starts.data[i] as number), clamp(ends.data[i] as number));
  });
  return [x];
}

/** Entries of an axis: by an index, which takes the axis away, or by a list of them. */
function gather(inputs: Inputs, node: NodeProto): Values[] {
  const [x, indices] = [need(inputs, 0), need(inputs, 1)];
  const axis = positive(intOf(node, 'axis', 0), x.dims.length);
  const strides = stridesFor(x, x.dims);
  const dims = [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)];
  const offset = (index: readonly number[]) => {
    const at = index.slice(axis, axis + indices.dims.length)[0] ?? 0;
    const rest = [
      ...index.slice(0, axis),
      indices.data[at] as number,
      ...index.slice(axis + indices.dims.length),
    ];
    return rest.reduce((sum, place, i) => sum + place * (strides[i] as number), 0);
  };
  return [gathered(x, dims, offset)];
}

function reshape(inputs: Inputs): Values[] {
  const x = need(inputs, 0);
  const sides = Array.from(need(inputs, 1).data, (side, i) => (side === 0 ? (x.dims[i] as number) : side));
  const known = countOf(sides.filter((side) => side !== -1));
  return [{ dims: sides.map((side) => (side === -1 ? x.data.length / known : side)), data: x.data }];
}

function axesOf(inputs: Inputs, node: NodeProto): number[] | undefined {
  return inputs[1] ? [...inputs[1].data] : intsOf(node, 'axes');
}

function squeeze(inputs: Inputs, node: NodeProto): Values[] {
  const { dims, data } = need(inputs, 0);
  const axes = axesOf(inputs, node)?.map((axis) => positive(axis, dims.length));
  return [{ dims: dims.filter((side, i) => (axes ? !axes.includes(i) : side !== 1)), data }];
}

function unsqueeze(inputs: Inputs, node: NodeProto): Values[] {
  const { dims, data } = need(inputs, 0);
  const given = axesOf(inputs, node) ?? [];
  const rank = dims.length + given.length;
  const axes = given.map((axis) => positive(axis, rank));
  const rest = [...dims];
  return [
    { dims: Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : (rest.shift() as number))), data },
  ];
}

export function matrixProduct(a: Values, b: Values): Values {
  const [rows = 0, inner = 0] = a.dims;
  const columns = b.dims[1] as number;
  const data: number[] = [];
  forEachIndex([rows, columns], ([i = 0, j = 0]) => {
    let sum = 0;
    for (let k = 0; k < inner; k++)
      sum += (a.data[i * inner + k] as number) * (b.data[k * columns + j] as number);
    data.push(sum);
  });
  return values([rows, columns], data);
}

export function transposed(x: Values): Values {
  const [rows = 0, columns = 0] = x.dims;
  return gathered(x, [columns, rows], ([i = 0, j = 0]) => j * columns + i);
}

function transpose(inputs: Inputs, node: NodeProto): Values[] {
  const x = need(inputs, 0);
  const perm = intsOf(node, 'perm') ?? x.dims.map((_, i) => x.dims.length - 1 - i);
  const strides = stridesFor(x, x.dims);
  const dims = perm.map((axis) => x.dims[axis] as number);
  const offset = (index: readonly number[]) =>
    index.reduce((sum, at, i) => sum + at * (strides[perm[i] as number] as number), 0);
  return [gathered(x, dims, offset)];
}

function gemm(inputs: Inputs, node: NodeProto): Values[] {
  const b = need(inputs, 1);
  const product = matrixProduct(need(inputs, 0), intOf(node, 'transB', 0) ? transposed(b) : b);
  const bias = inputs[2] && expand(inputs[2], product.dims).data;
  const [alpha, beta] = [floatOf(node, 'alpha', 1), floatOf(node, 'beta', 1)];
  return [
    values(
      product.dims,
      Array.from(product.data, (value, i) => alpha * value + beta * (bias?.[i] ?? 0)),
    ),
  ];
}

/** Over one axis that stays; over planes there is only the local mean here. */
const reduceBy = (reduce: (list: readonly number[]) => number) => (inputs: Inputs, node: NodeProto) => {
  const x = need(inputs, 0);
  const [given = 0] = axesOf(inputs, node) ?? [];
  const axis = positive(given, x.dims.length);
  const strides = stridesFor(x, x.dims);
  const dims = x.dims.map((side, i) => (i === axis ? 1 : side));
  const data: number[] = [];
  forEachIndex(dims, (index) => {
    const start = index.reduce((sum, at, i) => sum + at * (strides[i] as number), 0);
    const along = Array.from({ length: x.dims[axis] as number }, (_, k) => k * (strides[axis] as number));
    data.push(reduce(along.map((step) => x.data[start + step] as number)));
  });
  return [values(dims, data)];
};

const sumOf = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0);

/** Over the channels of [N, C, 1, 1]. */
const softmax: Operator = (inputs) => {
  const { dims, data } = need(inputs, 0);
  const [, channels = 1] = dims;
  const rowOf = (i: number) => data.subarray(i - (i % channels), i - (i % channels) + channels);
  const powers = Array.from(data, (value, i) => Math.exp(value - Math.max(...rowOf(i))));
  const total = (i: number) => sumOf(powers.slice(i - (i % channels), i - (i % channels) + channels));
  return [
    values(
      dims,
      powers.map((power, i) => power / total(i)),
    ),
  ];
};

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
const same: Operator = (inputs) => [need(inputs, 0)];

/** By their names in ONNX. */
export const operators: Readonly<Record<string, Operator>> = {
  Add: broadcasting((a, b) => a + b),
  AveragePool: pooling(meanOf),
  Cast: same,
  Clip: (inputs) => {
    const [low, high] = [need(inputs, 1).data[0] as number, need(inputs, 2).data[0] as number];
    return elementwise((value) => Math.min(Math.max(value, low), high))(inputs, {} as NodeProto);
  },
  Concat: concat,
  Conv: conv,
  ConvTranspose: convTranspose,
  DepthToSpace: depthToSpace,
  Div: broadcasting((a, b) => a / b),
  Dropout: same,
  Expand: (inputs) => {
    const x = need(inputs, 0);
    return [expand(x, broadcastDims(x.dims, [...need(inputs, 1).data]))];
  },
  Flatten: (inputs) => {
    const { dims, data } = need(inputs, 0);
    return [{ dims: [dims[0] as number, countOf(dims.slice(1))], data }];
  },
  Gather: gather,
  Gemm: gemm,
  HardSigmoid: elementwise((value, node) => {
    const [alpha, beta] = [floatOf(node, 'alpha', 0.2), floatOf(node, 'beta', 0.5)];
    return Math.min(Math.max(alpha * value + beta, 0), 1);
  }),
  Identity: same,
  LeakyRelu: elementwise((value, node) => (value < 0 ? value * floatOf(node, 'alpha', 0.01) : value)),
  MatMul: (inputs) => [matrixProduct(need(inputs, 0), need(inputs, 1))],
  MaxPool: pooling((window) => Math.max(...window)),
  Mul: broadcasting((a, b) => a * b),
  ReduceMean: reduceBy(meanOf),
  ReduceSum: reduceBy(sumOf),
  Relu: elementwise((value) => Math.max(value, 0)),
  Reshape: reshape,
  Resize: resize,
  Shape: (inputs) => [integers(need(inputs, 0).dims)],
  Sigmoid: elementwise(sigmoid),
  Slice: slice,
  Softmax: softmax,
  Split: split,
  Sqrt: elementwise(Math.sqrt),
  Squeeze: squeeze,
  Sub: broadcasting((a, b) => a - b),
  Tanh: elementwise(Math.tanh),
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
