import type { FastifyInstance } from 'fastify';

/** Whether a server is to be sent requests. */
export interface Readiness {
  isReady: boolean;
}

/** For whoever watches over the process; both answer without a token. */
export function healthRoutes(app: FastifyInstance, readiness: Readiness): void {
  const options = (summary: string) => ({
    schema: { summary, tags: ['operation'] },
    config: { isPublic: true },
    logLevel: 'warn' as const,
  });
  app.get('/livez', options('Whether the process answers'), async () => ({ status: 'live' }));
  app.get('/readyz', options('Whether it is to be sent requests'), async (_, reply) => {
    if (readiness.isReady) return { status: 'ready' };
    reply.code(503);
    return { status: 'draining' };
  });
}
