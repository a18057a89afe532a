// A processor that no binaries are published for.
Object.defineProperty(process, 'arch', { value: 'riscv64' });
const { findRuntime } = await import('@tlsc/core-native');
try {
  findRuntime();
  throw new Error('an ONNX Runtime was found');
} catch (error) {
  const isClear = /no native addon for linux-riscv64; it is published for linux-x64, linux-arm64/.test(
    error.message,
  );
  if (error.code !== 'ERR_ADDON_NOT_FOUND' || !isClear) throw error;
}
