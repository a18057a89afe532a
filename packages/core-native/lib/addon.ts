import { nativeError } from './errors.js';
import { addonIn, folderOfPackage, packageRoot } from './packages.js';
import { packageFor, prebuiltPlatforms } from './platforms.js';

const platform = `${process.platform}-${process.arch}`;
const fromSource = '"npm run setup" in a checkout of tlsc builds it from source.';

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  // Else a report asks for the names of all hosts that the process is connected to.
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined;
}

/** Why there is no addon on this machine, and what to do. */
function explainMissing(packaged: string | undefined): string {
  if (packaged)
    return `${packaged} has no addon that fits this Node.js; npm_config_platform, npm_config_arch and LIBC in the environment choose another`;
  const here = isMusl() ? `${platform} with musl` : platform;
  if (!prebuiltPlatforms.some((published) => published === here))
    return `there is no native addon for ${here}; it is published for ${prebuiltPlatforms.join(', ')} (Linux: glibc 2.28 or newer). Else ${fromSource}`;
  return (
    `the package ${packageFor(platform)}, which carries the native addon, is not installed: install with optional dependencies, on ` +
    `the machine that runs it or with npm's --os, --cpu and --libc for it. In a checkout, ${fromSource}`
  );
}

/** The file of the addon: the one built in this package, else that of the platform's package. Throws ERR_ADDON_NOT_FOUND. */
export function findAddon(): string {
  const packaged = folderOfPackage(packageFor(platform));
  const file = addonIn(packageRoot) ?? (packaged && addonIn(packaged));
  if (file) return file;
  throw nativeError('ERR_ADDON_NOT_FOUND', explainMissing(packaged));
}
