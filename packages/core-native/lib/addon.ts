import { nativeError } from './errors.js';
import { addonIn, folderOfPackage, packageRoot } from './packages.js';
import { packageFor, prebuiltPlatforms } from './platforms.js';

const fromSource =
  'Elsewhere, "npm run setup" in a checkout of tlsc builds it (docs/installing.md, "From source").';

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined;
}

/** Why there is no addon on this machine, and what to do. */
function explainMissing(): string {
  const platform = `${process.platform}-${process.arch}`;
  const isPublished = prebuiltPlatforms.some((published) => published === platform);
  if (isPublished && !isMusl())
    return (
      `the package ${packageFor(platform)}, which carries the native addon, is not installed: install without --no-optional or ` +
      `--omit=optional, and on (or with npm's --os, --cpu and --libc for) the machine that runs it. ${fromSource}`
    );
  const here = isMusl() ? `${platform} with musl` : platform;
  return `there is no native addon for ${here}; it is published for ${prebuiltPlatforms.join(', ')} (Linux: glibc 2.28 or newer). ${fromSource}`;
}

/** The file of the addon: the one built in this package, else that of the platform's package. Throws ERR_ADDON_NOT_FOUND. */
export function findAddon(): string {
  const prebuilt = folderOfPackage(packageFor(`${process.platform}-${process.arch}`));
  const file = addonIn(packageRoot) ?? (prebuilt && addonIn(prebuilt));
  if (file) return file;
  throw nativeError('ERR_ADDON_NOT_FOUND', explainMissing());
}
