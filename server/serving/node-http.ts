import type * as HTTP from 'node:http';
import { createRequire } from 'node:module';

/**
 * node:http as a value. Required, not imported: an import reads every export, and reading the lazy ones (WebSocket and its
 * events) loads fetch and web streams, which cost several megabytes and which a server never uses.
 */
export const http = createRequire(import.meta.url)('node:http') as typeof HTTP;
