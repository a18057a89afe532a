#!/usr/bin/env node
// Builds the addon where prebuildify calls it in node-gyp's place: in build/ of the working folder, for the platform in its variables.
import { join } from 'node:path';
import { buildAddonIn } from '../steps/native.mjs';
import { cmakeArgsFor } from './prebuilds.mjs';

// Flags of the machine's user have no place in what is published.
for (const name of ['CFLAGS', 'CXXFLAGS', 'LDFLAGS']) delete process.env[name];
const { PREBUILD_PLATFORM: os, PREBUILD_ARCH: arch } = process.env;
buildAddonIn(join(process.cwd(), 'build'), { cmakeArgs: cmakeArgsFor(`${os}-${arch}`) });
