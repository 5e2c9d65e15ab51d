import type { APIResponse } from '../../../api/client/transport.ts';
import { readBody } from '../../../api/client/read-body.ts';
import { badRequest, internalError, invalid, methodNotAllowed, unexpectedError } from '../../../api/meta/status-errors.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { type FieldError, forbidden, invalid as invalidField } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { RequestContext } from '../request/request-context.ts';
import { isTrue } from '../request/request-info.ts';
import { kubeletTarget } from './kubelet-target.ts';
import { chooseContainer, readPod } from './pod-container.ts';
import type { SubresourceHandler } from './subresource.ts';
import { asksForWebSocket, sendOverWebSocket } from '../watching/websocket-output.ts';

/** A container's log, as its node's kubelet has it. */
export const podLog: SubresourceHandler = {
  group: '',
  resource: 'pods',
  subresource: 'log',
  async handle(context, dependencies) {
    const { info, query } = context;
    if (info.verb !== 'get') throw methodNotAllowed();
    const options = readLogOptions(query);
    const pod = await readPod(context, dependencies);
    const container = chooseContainer(pod, query.get('container') ?? '');
    const nodeName = pod.spec?.nodeName ?? '';
    if (nodeName === '')
      return { status: 200, headers: { 'content-type': 'text/plain' }, body: { kind: 'bytes', bytes: new Uint8Array(0) } };
    const target = await kubeletTarget(nodeName, dependencies, context.signal);
    const path = `/containerLogs/${info.namespace}/${info.name}/${container}`;
    const request = { method: 'GET', path, query: options.toString(), headers: {}, canUpgrade: false, signal: context.signal };
    let response: APIResponse;
    try {
      response = await dependencies.dialer.send(target, request);
    } catch (error) {
      if (error instanceof StatusError || context.signal.aborted) throw error;
      const url = `https://${target.host}:${target.port}${path}${request.query === '' ? '' : `?${request.query}`}`;
      throw unexpectedError(`Get ${JSON.stringify(url)}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (response.status !== 200) throw await kubeletError(response);
    if (asksForWebSocket(context.request)) return sendOverWebSocket(context.request, response.body);
    return { status: 200, headers: { 'content-type': response.headers['content-type'] ?? 'text/plain' }, body: response.body };
  },
};

const numbers = ['sinceSeconds', 'tailLines', 'limitBytes'] as const;
const flags = ['follow', 'previous', 'timestamps'] as const;

/** The checked query for the kubelet, without options that are not set. Throws 400 and 422. */
function readLogOptions(query: RequestContext['query']): URLSearchParams {
  const options = new URLSearchParams();
  for (const flag of flags) if (isTrue(query.get(flag))) options.set(flag, 'true');
  const values: Partial<Record<(typeof numbers)[number], number>> = {};
  for (const name of numbers) {
    const text = query.get(name);
    if (text === null || text === '') continue;
    if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    values[name] = Number(text);
    options.set(name, String(Number(text)));
  }
  const sinceTime = query.get('sinceTime') ?? '';
  if (sinceTime !== '') options.set('sinceTime', sinceTime);
  const stream = query.get('stream') ?? '';
  if (stream !== '') options.set('stream', stream);
  const errors = optionErrors(values, sinceTime);
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, '', errors);
  return options;
}

function optionErrors(values: Partial<Record<(typeof numbers)[number], number>>, sinceTime: string): FieldError[] {
  const at = (name: string) => FieldPath.root.child(name);
  const { tailLines, limitBytes, sinceSeconds } = values;
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0) errors.push(invalidField(at('tailLines'), tailLines, 'must be greater than or equal to 0'));
  if (limitBytes !== undefined && limitBytes < 1) errors.push(invalidField(at('limitBytes'), limitBytes, 'must be greater than 0'));
  if (sinceSeconds !== undefined && sinceTime !== '') {
    errors.push(forbidden(FieldPath.root, 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(invalidField(at('sinceSeconds'), sinceSeconds, 'must be greater than 0'));
  }
  return errors;
}

/** The kubelet explains itself in plain text. */
async function kubeletError(response: APIResponse): Promise<StatusError> {
  const text = new TextDecoder().decode((await readBody(response.body)).subarray(0, 8192)).trim();
  if (response.status === 400) return badRequest(text);
  if (response.status === 500) return internalError(text);
  const error = unexpectedError(text);
  return new StatusError({ ...error.status, code: response.status, ...(response.status === 404 ? { reason: 'NotFound' } : {}) });
}
