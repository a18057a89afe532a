import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { FastifyInstance } from 'fastify';
import { html, icon } from './html.js';
import { style } from './style.js';

/** The page loads nothing from elsewhere, and nobody frames it. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A page to try the models on. It holds nothing secret, and asks for a token itself where one is needed. */
export async function pageRoutes(app: FastifyInstance): Promise<void> {
  const script = await readFile(createRequire(import.meta.url).resolve('@tlsc/server/page'), 'utf8');
  const files = [
    ['/', 'text/html', html],
    ['/icon.svg', 'image/svg+xml', icon],
    ['/page.css', 'text/css', style],
    ['/page.js', 'text/javascript', script],
  ] as const;
  for (const [url, type, text] of files)
    app.get(
      url,
      { schema: { hide: true }, config: { isPublic: true }, logLevel: 'warn' },
      async (_, reply) => {
        reply.header('content-security-policy', policy).header('referrer-policy', 'no-referrer');
        reply.type(`${type}; charset=utf-8`);
        return text;
      },
    );
}
