// Names what is missing before anything is built, so that the first error is not one of CMake's.
import { Failure, read } from '../lib.mjs';

const cmakeMinimum = [3, 21];

function firstWorking(commands) {
  return commands.find((command) => command && read(command, ['--version']) !== undefined);
}

export function checkToolchain() {
  const cmake = read('cmake', ['--version'])?.match(/(\d+)\.(\d+)/);
  const wanted = cmakeMinimum.join('.');
  if (!cmake)
    throw new Failure('CMake was not found', `Install CMake ${wanted} or newer (Debian: apt install cmake).`);
  const [major, minor] = [Number(cmake[1]), Number(cmake[2])];
  if (major < cmakeMinimum[0] || (major === cmakeMinimum[0] && minor < cmakeMinimum[1])) {
    throw new Failure(`CMake ${major}.${minor} is too old`, `Install CMake ${wanted} or newer.`);
  }
  if (process.platform === 'win32') return; // CMake finds Visual Studio by itself and says so if it cannot.
  if (!firstWorking([process.env.CXX, 'c++', 'g++', 'clang++'])) {
    throw new Failure(
      'no C++ compiler was found',
      'Install one that knows C++17 (Debian: apt install g++; macOS: xcode-select --install), or name it in CXX.',
    );
  }
  if (!firstWorking(['ninja', 'make'])) {
    throw new Failure('neither make nor ninja was found', 'Install one of them (Debian: apt install make).');
  }
}
