import { type Status, StatusError } from '../meta/status.ts';
import { readBody } from './read-body.ts';
import type { APIResponse } from './transport.ts';

/** Whether a decoded body is a metav1.Status. */
export function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status' && 'status' in value;
}

/** The StatusError of an answer that is a failure; a body that is no Status (a proxy in between) becomes its message. */
export async function responseError(response: APIResponse): Promise<StatusError> {
  const text = new TextDecoder().decode(await readBody(response.body));
  const retryAfterSeconds = Number(response.headers['retry-after'] ?? 0) || 0;
  let decoded: unknown;
  try {
    decoded = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (isStatus(decoded)) return statusError(decoded, response.status, retryAfterSeconds);
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: text === '' ? `the server answered with status ${response.status}` : text.slice(0, 2048).trimEnd(),
    reason: reasons.get(response.status) ?? '',
    ...(retryAfterSeconds > 0 ? { details: { retryAfterSeconds } } : {}),
    code: response.status,
  });
}

function statusError(status: Status, code: number, retryAfterSeconds: number): StatusError {
  const complete: Status = { ...status, code: status.code ?? code };
  if (retryAfterSeconds > 0 && !complete.details?.retryAfterSeconds) complete.details = { ...complete.details, retryAfterSeconds };
  return new StatusError(complete);
}

const reasons: ReadonlyMap<number, string> = new Map([
  [400, 'BadRequest'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [405, 'MethodNotAllowed'],
  [406, 'NotAcceptable'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [413, 'RequestEntityTooLarge'],
  [415, 'UnsupportedMediaType'],
  [422, 'Invalid'],
  [429, 'TooManyRequests'],
  [500, 'InternalError'],
  [503, 'ServiceUnavailable'],
  [504, 'Timeout'],
]);
