import type { StatusError } from '../../../api/meta/status.ts';
import { badRequest } from '../../../api/meta/status-errors.ts';
import { JSONSyntaxError } from '../../../api/serialization/json-parser.ts';
import { parseJSON } from '../../../api/serialization/json.ts';

/** The position at which the next page of a list begins: after `after`, at `revision` (-1: the newest revision then). */
export interface ContinueToken {
  readonly revision: number;
  readonly after: string;
}

/** Opaque to clients; made as upstream makes it, base64url JSON. */
export function formatContinueToken({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `${after}\0` })).toString('base64url');
}

export function parseContinueToken(text: string): ContinueToken {
  const { v, rv, start } = decodeToken(text);
  if (v !== 'meta.k8s.io/v1') throw invalidToken(`server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`);
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0)
    throw invalidToken('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof start !== 'string' || start === '') throw invalidToken('encoded start key empty (version meta.k8s.io/v1)');
  // A key with `.` or `..` segments would lead out of the resource.
  if (/(^|\/)(\.{0,2})(\/|$)/.test(start.replace(/^\//, ''))) throw invalidToken(start);
  return { revision: rv, after: start.endsWith('\0') ? start.slice(0, -1) : start };
}

function decodeToken(text: string): { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown } {
  const illegal = /[^\w-]/.exec(text)?.index ?? (text.length % 4 === 1 ? text.length - 1 : undefined);
  if (illegal !== undefined) throw invalidToken(`illegal base64 data at input byte ${illegal}`);
  try {
    const { value } = parseJSON(Buffer.from(text, 'base64url'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch (error) {
    if (error instanceof JSONSyntaxError) throw invalidToken(error.message);
    throw error;
  }
}

function invalidToken(problem: string): StatusError {
  return badRequest(`invalid continue token: continue key is not valid: ${problem}`);
}
