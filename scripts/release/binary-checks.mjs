// What the published Linux binaries must be, so that they load from glibc 2.28 on and beside any other C++ library.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, read, say } from '../lib.mjs';

const newestGlibc = '2.28';
// Of GCC 8, which comes with the systems that have glibc 2.28; only ONNX Runtime's library asks for it.
const newestGlibcxx = '3.4.25';
const systemLibraries = /^(ld-linux-[\w-]+|lib(c|dl|m|pthread|rt))\.so\.\d+$/;
const cppLibraries = /^lib(stdc\+\+|gcc_s)\.so\.\d+$/;
const exported = {
  'tlsc.glibc.node': ['napi_register_module_v1', 'node_api_module_get_api_version_v1'],
  'libtlsc_ops.so': ['RegisterCustomOps', 'TlscTarget'],
  'libtlsc_ops_cuda.so': ['RegisterCustomOps', 'TlscTarget'],
};

function compareVersions(a, b) {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  const at = left.findIndex((number, i) => number !== (right[i] ?? 0));
  return at < 0 ? left.length - right.length : left[at] - (right[at] ?? 0);
}

function readelf(file, ...args) {
  const text = read('readelf', ['--wide', ...args, file]);
  if (text === undefined) throw new Failure(`readelf cannot read ${file}`, 'Install binutils.');
  return text;
}

/** The newest version that a binary needs of a library's symbols ('GLIBC'). */
function newestNeeded(file, family) {
  const text = readelf(file, '--version-info');
  const versions = [...text.matchAll(new RegExp(`Name: ${family}_([\\d.]+)`, 'g'))].map((match) => match[1]);
  return versions.sort(compareVersions).at(-1);
}

/** What is wrong with a binary; `isOurs`: built here, with the C++ library inside. */
function faultsOf(file, isOurs) {
  const faults = [];
  const glibc = newestNeeded(file, 'GLIBC');
  if (compareVersions(glibc, newestGlibc) > 0) faults.push(`needs GLIBC_${glibc}`);
  const glibcxx = newestNeeded(file, 'GLIBCXX');
  if (glibcxx && (isOurs || compareVersions(glibcxx, newestGlibcxx) > 0))
    faults.push(`needs GLIBCXX_${glibcxx}`);
  const dynamic = readelf(file, '--dynamic');
  for (const [, library] of dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g))
    if (!systemLibraries.test(library) && (isOurs || !cppLibraries.test(library)))
      faults.push(`needs ${library}`);
  if (/\((RPATH|RUNPATH)\).*\[(?!\$ORIGIN)/.test(dynamic))
    faults.push('has a search path of the machine that built it');
  if (!isOurs) return faults;
  if (!/BIND_NOW|Flags:.*NOW/.test(dynamic)) faults.push('is not bound when it is loaded');
  if (!/__stack_chk_fail/.test(readelf(file, '--dyn-syms'))) faults.push('does not protect its stack');
  const headers = readelf(file, '--program-headers');
  if (!/GNU_RELRO/.test(headers)) faults.push('has writable relocations');
  if (/GNU_STACK.*RWE/.test(headers)) faults.push('has an executable stack');
  if (/\.symtab/.test(readelf(file, '--section-headers'))) faults.push('is not stripped');
  return faults;
}

/** Names of the functions and data that a binary defines for others. */
function exportsOf(file) {
  const defined =
    /^\s*\d+: \S+\s+\d+ (?:FUNC|OBJECT|TLS|IFUNC)\s+(?:GLOBAL|WEAK|UNIQUE)\s+DEFAULT\s+\d+ ([^@\s]+)/gm;
  return [...readelf(file, '--dyn-syms').matchAll(defined)].map(([, name]) => name).sort();
}

/** Throws a `Failure` that names every binary in the folder that would not load everywhere, and why. */
export function checkLinuxBinaries(folder) {
  const faults = readdirSync(folder).flatMap((name) => {
    const file = join(folder, name);
    const found = faultsOf(file, name in exported);
    if (name in exported && exportsOf(file).join() !== exported[name].join())
      found.push(`exports ${exportsOf(file).join(', ')}`);
    return found.map((fault) => `${name} ${fault}`);
  });
  if (faults.length > 0)
    throw new Failure(`these binaries would not load everywhere:\n  ${faults.join('\n  ')}`);
  say(`${readdirSync(folder).join(', ')}: load from glibc ${newestGlibc} on`);
}
