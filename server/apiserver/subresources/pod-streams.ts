import type { APIResponse } from '../../../api/client/transport.ts';
import { badRequest, methodNotAllowed, unexpectedError } from '../../../api/meta/status-errors.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { attributesOf, forbiddenError } from '../filters/authorization.ts';
import type { RequestContext } from '../request/request-context.ts';
import { isTrue } from '../request/request-info.ts';
import { kubeletTarget } from './kubelet-target.ts';
import { chooseContainer, readPod } from './pod-container.ts';
import { refuseDryRun } from './subresource-response.ts';
import type { SubresourceDependencies, SubresourceHandler } from './subresource.ts';

type Query = RequestContext['query'];

/** Runs a command in a container, its streams on the client's connection. */
export const podExec: SubresourceHandler = {
  group: '',
  resource: 'pods',
  subresource: 'exec',
  handle: (context, dependencies) =>
    stream(context, dependencies, 'PodExecOptions', (container) => {
      const command = context.query.getAll('command');
      if (command.length === 0) throw badRequest('you must specify at least 1 command for the container');
      const query = streamQuery(context.query);
      for (const argument of command) query.append('command', argument);
      return { path: `/exec/${context.info.namespace}/${context.info.name}/${container}`, query };
    }),
};

/** Joins the streams of a container's main process. */
export const podAttach: SubresourceHandler = {
  group: '',
  resource: 'pods',
  subresource: 'attach',
  handle: (context, dependencies) =>
    stream(context, dependencies, 'PodAttachOptions', (container) => ({
      path: `/attach/${context.info.namespace}/${context.info.name}/${container}`,
      query: streamQuery(context.query),
    })),
};

/** Carries connections to ports in a Pod. */
export const podPortForward: SubresourceHandler = {
  group: '',
  resource: 'pods',
  subresource: 'portforward',
  handle: (context, dependencies) =>
    stream(context, dependencies, 'PodPortForwardOptions', () => {
      const query = new URLSearchParams();
      for (const port of context.query.getAll('ports').flatMap((ports) => ports.split(','))) if (port !== '') query.append('port', port);
      return { path: `/portForward/${context.info.namespace}/${context.info.name}`, query };
    }),
};

/** The kubelet's names for the streams that are wanted. */
function streamQuery(query: Query): URLSearchParams {
  const streams = new URLSearchParams();
  const names = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' };
  for (const [name, kubeletName] of Object.entries(names)) if (isTrue(query.get(name))) streams.set(kubeletName, '1');
  if (!streams.has('input') && !streams.has('output') && !streams.has('error'))
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  return streams;
}

async function stream(
  context: RequestContext,
  dependencies: SubresourceDependencies,
  kind: string,
  describe: (container: string) => { readonly path: string; readonly query: URLSearchParams },
): Promise<APIResponse> {
  const { info, request, signal } = context;
  if (info.verb !== 'get' && info.verb !== 'create') throw methodNotAllowed();
  await requireCreate(context, dependencies);
  refuseDryRun(context);
  const options = { kind, apiVersion: 'v1', metadata: {}, ...optionsOf(context.query) };
  const store = dependencies.storeFor(pods);
  await dependencies.admit({ context, operation: 'CONNECT', store, subresource: info.subresource, object: options, dryRun: false });
  const pod = await readPod(context, dependencies);
  const container = kind === 'PodPortForwardOptions' ? '' : chooseContainer(pod, context.query.get('container') ?? '');
  const nodeName = pod.spec?.nodeName ?? '';
  if (nodeName === '') throw badRequest(`pod ${info.name} does not have a host assigned`);
  const { path, query } = describe(container);
  const target = await kubeletTarget(nodeName, dependencies, signal);
  if (request.canUpgrade !== true || request.headers['upgrade'] === undefined) throw badRequest('Upgrade request required');
  try {
    return await dependencies.dialer.send(target, {
      method: request.method,
      path,
      query: query.toString(),
      headers: request.headers,
      ...(request.body ? { body: request.body } : {}),
      canUpgrade: true,
      signal,
    });
  } catch (error) {
    if (error instanceof StatusError || signal.aborted) throw error;
    throw unexpectedError(`error dialing backend: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A WebSocket begins with GET, but whoever may only read must not run anything (KEP-4006). */
async function requireCreate(context: RequestContext, { authorizer }: SubresourceDependencies): Promise<void> {
  if (context.info.verb === 'create') return;
  const attributes = { ...attributesOf(context), verb: 'create' };
  const { decision, reason } = await authorizer.authorize(attributes);
  if (decision !== 'Allow') throw forbiddenError(attributes, reason);
}

/** The options as admission sees them. */
function optionsOf(query: Query): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const flag of ['stdin', 'stdout', 'stderr', 'tty']) if (isTrue(query.get(flag))) options[flag] = true;
  const container = query.get('container');
  if (container) options['container'] = container;
  if (query.has('command')) options['command'] = query.getAll('command');
  if (query.has('ports')) options['ports'] = query.getAll('ports').map(Number);
  return options;
}
