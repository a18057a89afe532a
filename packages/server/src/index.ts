export { type AppOptions, createApp, type RoutesOptions, routes } from './app.js';
export { type GrpcOptions, type GrpcServer, startGrpc } from './grpc/service.js';
export type { Readiness } from './observe/health.js';
export { Metrics } from './observe/metrics.js';
export { Tokens } from './security/tokens.js';
export { type Reloaded, type Served, type ServeOptions, serve } from './serve.js';
