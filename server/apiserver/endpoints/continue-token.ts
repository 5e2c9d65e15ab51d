import { badRequest } from '../../../api/meta/status-errors.ts';

/** Where the next page of a list begins: after `after`, at `revision` (-1: whatever is newest then). */
export interface ContinueToken {
  readonly revision: number;
  readonly after: string;
}

/** Opaque to clients; made as upstream makes it, base64url JSON. */
export function formatContinueToken({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `${after}\0` })).toString('base64url');
}

export function parseContinueToken(text: string): ContinueToken {
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    token = JSON.parse(Buffer.from(text, 'base64url').toString()) as typeof token;
  } catch {
    throw badRequest('continue key is not valid: illegal base64 data');
  }
  const { v, rv, start } = token;
  if (v !== 'meta.k8s.io/v1')
    throw badRequest(`continue key is not valid: server does not recognize this encoded version ${JSON.stringify(v)}`);
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0)
    throw badRequest('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof start !== 'string' || start === '')
    throw badRequest('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  if (start.includes('..')) throw badRequest(`continue key is not valid: ${start}`);
  return { revision: rv, after: start.endsWith('\0') ? start.slice(0, -1) : start };
}
