import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { TlscError } from '@tlsc/api';

/** How often a file of tokens is looked at, in milliseconds. */
const interval = 1000;

/** Of fixed length, so that comparing takes as long for any two. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Bearer tokens: one per line of a file, which is read again when it changes. Empty lines, and such as begin with #, are none. */
export class Tokens {
  readonly #path: string;
  readonly #onFailure: (error: Error) => void;
  #digests: readonly Buffer[];

  /** Throws ERR_INVALID_ARGUMENT where the file cannot be read, or has no token in it. */
  constructor(path: string, onFailure: (error: Error) => void = () => {}) {
    this.#path = path;
    this.#onFailure = onFailure;
    this.#digests = this.#read();
    watchFile(path, { interval, persistent: false }, this.#reload);
  }

  /** Whether it is the header of somebody with a token. */
  admits(authorization: string | undefined): boolean {
    const [, token] = /^bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    if (token === undefined) return false;
    const given = digest(token);
    // All are compared, so that how long it takes tells nothing.
    return this.#digests.map((known) => timingSafeEqual(known, given)).includes(true);
  }

  close(): void {
    unwatchFile(this.#path, this.#reload);
  }

  readonly #reload = () => {
    try {
      this.#digests = this.#read();
    } catch (error) {
      // Those that were there go on being good: an empty file that is being written must not lock everybody out.
      this.#onFailure(error as Error);
    }
  };

  #read(): Buffer[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (cause) {
      throw new TlscError(
        'ERR_INVALID_ARGUMENT',
        `cannot read the tokens in ${this.#path}: ${(cause as Error).message}`,
        {
          parameter: 'tokenFile',
          cause,
        },
      );
    }
    const tokens = text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
    const message = `${this.#path} must have a token in each line, without spaces`;
    if (tokens.length === 0 || tokens.some((token) => /\s/.test(token)))
      throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'tokenFile' });
    return tokens.map(digest);
  }
}
