const listed = (names: string) => new Set(names.split(' '));

/** Operators of one operand, whatever its shape, that treat its elements one by one. */
export const unary = listed(
  'Abs Cast Ceil Celu Clip Dropout Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity LeakyRelu Log Mish Neg ' +
    'Reciprocal Relu Round Selu Sigmoid Sign Softplus Softsign Sqrt Swish Tanh ' +
    'ThresholdedRelu',
);

/** The same of several operands that broadcast. */
export const broadcasting = listed('Add Div Max Mean Min Mul Pow PRelu Sub Sum');

/** Whether the node treats what it reads pixel by pixel, reads nothing else, and computes as much. */
export function isUnary({ opType }: { readonly opType: string }): boolean {
  return unary.has(opType);
}
