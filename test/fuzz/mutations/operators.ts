// Other operators, other domains, nodes that were not there before.
import { create } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type NodeProto,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type { Random } from '../random.js';
import { oddAttribute } from './attributes.js';
import { oddFloat, oddSide, oddText } from './oddities.js';
import { bodiesOf, type Mutation, nodesOf, valuesOf } from './places.js';

/** Those of the default domain, but for those whose results are random. */
export const operators =
  `Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BitShift
BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Col2Im Compress Concat
ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DFT DeformConv DepthToSpace
DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather
GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample
GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If ImageDecoder InstanceNormalization IsInf
IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop LpNormalization LpPool MatMul MatMulInteger
Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul Neg NegativeLogLikelihoodLoss
NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul
QuantizeLinear RMSNormalization RNN Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch Relu Reshape Resize ReverseSequence RoiAlign RotaryEmbedding
Round STFT Scan Scatter ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert
SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax SoftmaxCrossEntropyLoss Softplus Softsign
SpaceToDepth Split SplitToSequence Sqrt Squeeze StringConcat StringNormalizer StringSplit Sub Sum Swish Tan Tanh TensorScatter
TfIdfVectorizer ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Upsample Where Xor`.split(/\s+/);

const ownOperators =
  'LocalAveragePool LocalInstanceNormalization LocalGroupNormalization ReplicateScale LocalWindowPartition LocalWindowMerge'.split(
    ' ',
  );
const microsoftOperators =
  'Attention BiasAdd BiasDropout BiasGelu BiasSoftmax BiasSplitGelu CDist DequantizeLinear DynamicQuantizeMatMul FastGelu FusedConv FusedGemm FusedMatMul FusedMatMulActivation Gelu GridSample GroupNorm Inverse Irfft LayerNormalization MatMulBnb4 MatMulFpQ4 MatMulInteger16 MatMulIntegerToFloat MatMulNBits MultiHeadAttention NhwcConv NhwcFusedConv NhwcMaxPool QAttention QGemm QLinearAdd QLinearAveragePool QLinearConcat QLinearConv QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul QLinearReduceMean QLinearSigmoid QLinearSoftmax QLinearWhere QuantizeLinear QuickGelu Rfft RotaryEmbedding SimplifiedLayerNormalization SkipGroupNorm SkipLayerNormalization SkipSimplifiedLayerNormalization TransposeMatMul Trilu'.split(
    ' ',
  );
const learnedOperators =
  'ArrayFeatureExtractor Binarizer CastMap CategoryMapper DictVectorizer FeatureVectorizer Imputer LabelEncoder LinearClassifier LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor ZipMap'.split(
    ' ',
  );

const families = [
  { domain: '', operators },
  { domain: 'ai.onnx', operators },
  { domain: 'tlsc', operators: ownOperators },
  { domain: 'com.microsoft', operators: microsoftOperators },
  {
    domain: 'com.microsoft.nchwc',
    operators: ['Conv', 'ReorderInput', 'ReorderOutput', 'MaxPool', 'AveragePool', 'Upsample'],
  },
  { domain: 'ai.onnx.ml', operators: learnedOperators },
  { domain: 'ai.onnx.preview.training', operators: ['Gradient', 'Adam', 'Momentum', 'Adagrad'] },
  { domain: 'no.such.domain', operators: ['Nothing'] },
] as const;

/** An operator with its domain, mostly one that is in every runtime. */
function anyOperator(random: Random): { opType: string; domain: string } {
  const family = random.chance(0.75) ? families[0] : random.pick(families);
  return { opType: random.pick(family.operators), domain: family.domain };
}

const swapOperator: Mutation = (model, random) => {
  const node = random.any(nodesOf(model));
  if (node) Object.assign(node, anyOperator(random));
};

const swapDomain: Mutation = (model, random) => {
  const node = random.any(nodesOf(model));
  if (node) node.domain = random.chance(0.3) ? oddText(random) : random.pick(families).domain;
};

/** A node that computes a small constant, as long as its sides say, of a type that many operators take. */
function constantNode(name: string, random: Random): NodeProto {
  const dims = Array.from({ length: random.below(5) }, () =>
    BigInt(random.below(20) === 0 ? 0 : 1 + random.below(4)),
  );
  const count = Number(dims.reduce((product, side) => product * side, 1n));
  const dataType = random.pick([
    DataType.FLOAT,
    DataType.FLOAT,
    DataType.INT64,
    DataType.INT64,
    DataType.INT32,
    DataType.BOOL,
    DataType.UINT8,
  ]);
  const list = <T>(make: (random: Random) => T) => Array.from({ length: count }, () => make(random));
  const small = () => random.below(7) - 2;
  const t = create(TensorProtoSchema, { dims, dataType });
  if (dataType === DataType.FLOAT) t.floatData = list(random.chance(0.5) ? () => random.next() : oddFloat);
  else if (dataType === DataType.INT64)
    t.int64Data = list(random.chance(0.7) ? () => BigInt(small()) : oddSide);
  else t.int32Data = list(dataType === DataType.INT32 ? small : () => random.below(2));
  const value = create(AttributeProtoSchema, { name: 'value', type: AttributeType.TENSOR, t });
  return create(NodeProtoSchema, { opType: 'Constant', output: [name], attribute: [value] });
}

/** A node that takes values of the model, and new ones, and hands out new ones. */
const addNode: Mutation = (model, random) => {
  const body = random.any(bodiesOf(model));
  if (!body) return;
  const values = valuesOf(model);
  const name = `new_${random.below(10_000)}`;
  const constants: NodeProto[] = [];
  const input = Array.from({ length: random.below(5) }, (_, i) => {
    if (random.chance(0.1)) return '';
    if (random.chance(0.4)) return random.any(values) ?? '';
    constants.push(constantNode(`${name}_in_${i}`, random));
    return `${name}_in_${i}`;
  });
  const count = 1 + (random.chance(0.2) ? random.below(4) : 0);
  const output = Array.from({ length: count }, (_, i) => `${name}_${i}`);
  const { opType, domain } = anyOperator(random);
  const attributes = Array.from({ length: random.below(4) }, () => oddAttribute(random, opType));
  const attribute = [...new Map(attributes.map((one) => [one.name, one])).values()];
  const node = create(NodeProtoSchema, { opType, domain, input, output, attribute });
  const at = random.chance(0.8) ? body.node.length : random.below(body.node.length + 1);
  body.node.splice(at, 0, ...constants, node);
  if (!random.chance(0.8)) return;
  // What nobody uses is left out before it runs.
  const [first = ''] = output;
  if ('initializer' in body) body.output.push(create(ValueInfoProtoSchema, { name: first }));
  else body.output.push(first);
};

export const operatorMutations: readonly Mutation[] = [
  swapOperator,
  swapOperator,
  swapDomain,
  addNode,
  addNode,
  addNode,
];
