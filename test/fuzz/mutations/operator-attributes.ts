// The attributes of operators: one that an operator does not have is refused before anything else is looked at.

export const attributesOfOperator: Readonly<Record<string, string>> = {
  AffineGrid: 'align_corners',
  ArgMax: 'axis keepdims select_last_index',
  ArgMin: 'axis keepdims select_last_index',
  Attention: 'is_causal q_num_heads kv_num_heads scale softcap qk_matmul_output_mode',
  AveragePool: 'kernel_shape pads strides dilations auto_pad ceil_mode count_include_pad',
  BatchNormalization: 'epsilon momentum training_mode',
  BitShift: 'direction',
  Cast: 'to saturate',
  CenterCropPad: 'axes',
  Col2Im: 'dilations pads strides',
  Compress: 'axis',
  Concat: 'axis',
  ConcatFromSequence: 'axis new_axis',
  Constant: 'value value_int value_ints value_float value_floats value_string sparse_value',
  ConstantOfShape: 'value',
  Conv: 'kernel_shape pads strides dilations group auto_pad',
  ConvInteger: 'kernel_shape pads strides dilations group auto_pad',
  ConvTranspose: 'kernel_shape pads strides dilations group auto_pad output_shape output_padding',
  CumSum: 'exclusive reverse',
  DFT: 'axis inverse onesided',
  DeformConv: 'kernel_shape pads strides dilations group offset_group',
  DepthToSpace: 'blocksize mode',
  DequantizeLinear: 'axis block_size output_dtype',
  Dropout: 'seed',
  Einsum: 'equation',
  Elu: 'alpha',
  EyeLike: 'dtype k',
  Flatten: 'axis',
  GRU: 'hidden_size direction layout linear_before_reset clip activations',
  Gather: 'axis',
  GatherElements: 'axis',
  GatherND: 'batch_dims',
  Gelu: 'approximate',
  Gemm: 'alpha beta transA transB',
  GlobalLpPool: 'p',
  GridSample: 'mode padding_mode align_corners',
  GroupNormalization: 'num_groups epsilon stash_type',
  HardSigmoid: 'alpha beta',
  Hardmax: 'axis',
  ImageDecoder: 'pixel_format',
  InstanceNormalization: 'epsilon',
  LRN: 'size alpha beta bias',
  LSTM: 'hidden_size direction layout input_forget clip activations',
  LayerNormalization: 'axis epsilon stash_type',
  LocalAveragePool: 'kernel_shape padding max_stride',
  LocalGroupNormalization: 'kernel_shape epsilon num_groups',
  LocalInstanceNormalization: 'kernel_shape epsilon',
  LocalWindowMerge: 'kernel_shape',
  LocalWindowPartition: 'kernel_shape',
  LogSoftmax: 'axis',
  LpNormalization: 'axis p',
  LpPool: 'kernel_shape pads strides dilations auto_pad ceil_mode p',
  MaxPool: 'kernel_shape pads strides dilations auto_pad ceil_mode storage_order',
  MaxRoiPool: 'pooled_shape spatial_scale',
  MaxUnpool: 'kernel_shape pads strides',
  MeanVarianceNormalization: 'axes',
  MelWeightMatrix: 'output_datatype',
  Mod: 'fmod',
  NonMaxSuppression: 'center_point_box',
  OneHot: 'axis',
  Pad: 'mode pads value',
  QLinearConv: 'kernel_shape pads strides dilations group auto_pad',
  QuantizeLinear: 'axis block_size output_dtype saturate',
  RMSNormalization: 'axis epsilon stash_type',
  RNN: 'hidden_size direction layout clip activations',
  ReduceMax: 'axes keepdims noop_with_empty_axes',
  ReduceMean: 'axes keepdims noop_with_empty_axes',
  ReduceProd: 'axes keepdims noop_with_empty_axes',
  ReduceSum: 'axes keepdims noop_with_empty_axes',
  Reshape: 'allowzero',
  Resize:
    'mode nearest_mode coordinate_transformation_mode cubic_coeff_a antialias axes exclude_outside extrapolation_value keep_aspect_ratio_policy',
  ReverseSequence: 'batch_axis time_axis',
  RoiAlign: 'output_height output_width sampling_ratio spatial_scale mode coordinate_transformation_mode',
  RotaryEmbedding: 'interleaved num_heads rotary_embedding_dim',
  STFT: 'onesided',
  Scan: 'num_scan_inputs scan_input_axes scan_output_axes scan_input_directions scan_output_directions',
  Scatter: 'axis',
  ScatterElements: 'axis reduction',
  ScatterND: 'reduction',
  Shape: 'start end',
  Softmax: 'axis',
  SpaceToDepth: 'blocksize',
  Split: 'axis split num_outputs',
  SplitToSequence: 'axis keepdims',
  Squeeze: 'axes',
  StringSplit: 'delimiter maxsplit',
  TensorScatter: 'axis mode',
  TfIdfVectorizer:
    'max_gram_length max_skip_count min_gram_length mode ngram_counts ngram_indexes pool_int64s weights',
  TopK: 'axis largest sorted',
  Transpose: 'perm',
  Trilu: 'upper',
  Unique: 'axis sorted',
  Unsqueeze: 'axes',
  Upsample: 'mode scales',
};

const lists = new Set(
  `axes kernel_shape pads strides dilations output_shape output_padding perm split value_ints pooled_shape max_stride
scan_input_axes scan_output_axes scan_input_directions scan_output_directions ngram_counts ngram_indexes pool_int64s`.split(
    /\s+/,
  ),
);
const floats = new Set(
  'epsilon momentum alpha beta bias scale scales softcap spatial_scale cubic_coeff_a extrapolation_value clip value_float value_floats weights'.split(
    ' ',
  ),
);
const texts = new Set(
  'mode auto_pad direction equation padding padding_mode nearest_mode coordinate_transformation_mode reduction approximate keep_aspect_ratio_policy activations delimiter value_string pixel_format'.split(
    ' ',
  ),
);

/** What the attribute of a name holds. */
export function contentOf(name: string): 'list' | 'float' | 'text' | 'tensor' | 'int' {
  if (lists.has(name)) return 'list';
  if (floats.has(name)) return 'float';
  if (texts.has(name)) return 'text';
  return name === 'value' ? 'tensor' : 'int';
}
