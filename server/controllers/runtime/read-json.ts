import type { Client } from '../../../api/client/client.ts';
import { readBody } from '../../../api/client/read-body.ts';
import { responseError } from '../../../api/client/response-error.ts';

/** GET of a path that no definition knows. Throws StatusError. */
export async function readJSON<R>(client: Client, path: string, query: URLSearchParams, signal: AbortSignal): Promise<R> {
  const response = await client.transport({
    method: 'GET',
    path,
    query: query.toString(),
    headers: { accept: 'application/json' },
    signal,
  });
  if (response.status !== 200) throw await responseError(response);
  return JSON.parse(new TextDecoder().decode(await readBody(response.body))) as R;
}
