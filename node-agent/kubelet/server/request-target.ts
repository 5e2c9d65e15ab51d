import { HTTPProblem } from './http-problem.ts';

/** The target of a request, decoded once: authorization and handlers use the same words. */
export interface RequestTarget {
  /** The parts of the path that are not empty. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** Parses the target of a request line. Throws HTTPProblem for an ambiguous one. */
export function parseRequestTarget(target: string): RequestTarget {
  const origin = /^https?:\/\/[^/?#]*/i.exec(target)?.[0] ?? '';
  const relative = target.slice(origin.length);
  const queryAt = relative.indexOf('?');
  const rawPath = queryAt < 0 ? relative : relative.slice(0, queryAt);
  if (!rawPath.startsWith('/') && (origin === '' || rawPath !== '')) throw new HTTPProblem(400, 'malformed path');
  const path = rawPath.split('/').flatMap((part) => (part === '' ? [] : [decode(part)]));
  if (path.some((part) => part === '.' || part === '..')) throw new HTTPProblem(400, 'malformed path');
  return { path, query: new URLSearchParams(queryAt < 0 ? '' : relative.slice(queryAt + 1)) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HTTPProblem(400, 'malformed path');
  }
}
