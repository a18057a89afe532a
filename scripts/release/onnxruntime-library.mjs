// ONNX Runtime's library as the platform packages carry it: onnxruntime-node's, pinned by its version and the file's hash.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure, root } from '../lib.mjs';

const sha256 = {
  'linux-x64/libonnxruntime.so.1': 'ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23',
  'linux-arm64/libonnxruntime.so.1': '1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76',
  'darwin-arm64/libonnxruntime.1.dylib': '685d2be5dba1309c89d3a5324b7fd06a5c42f1a61bfea32d14c4cc28d072121d',
  'win32-x64/onnxruntime.dll': '508c362f5673483dd3a086379c392795b2e42d10d5e6f3f90ebd7ac21c97af67',
};

/** The name of the file for a platform. */
export function runtimeName(platform) {
  const entry = Object.keys(sha256).find((name) => name.startsWith(`${platform}/`));
  return entry.slice(platform.length + 1);
}

/** The file for a platform. Throws a `Failure` where it is not the pinned one. */
export async function runtimeLibrary(platform) {
  const requireFrom = createRequire(join(root, 'packages', 'core-native', 'package.json'));
  const folder = dirname(requireFrom.resolve('onnxruntime-node/package.json'));
  const name = runtimeName(platform);
  const file = join(folder, 'bin', 'napi-v6', ...platform.split('-'), name);
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  if (hash.digest('hex') === sha256[`${platform}/${name}`]) return file;
  throw new Failure(
    `${file} is not the library that is published`,
    `After a change of onnxruntime-node's version the hashes in scripts/release/onnxruntime-library.mjs must follow.`,
  );
}
