import type * as HTTP from 'node:http';
import { createRequire } from 'node:module';

/**
 * node:http as a value. It is required and not imported: an import reads every export, and reading the lazy ones (WebSocket and its events)
 * loads fetch and web streams, several megabytes that a server does not use.
 */
export const http = createRequire(import.meta.url)('node:http') as typeof HTTP;
