import { createRequire } from 'node:module';
import type HTTP from 'node:http';

/** Node's `node:http`. As an import it would bring Node's client of WebSockets and of `fetch` with it: 5 MiB that no agent uses. */
export const http: typeof HTTP = createRequire(import.meta.url)('node:http');
