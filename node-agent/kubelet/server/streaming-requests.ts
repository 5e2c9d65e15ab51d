import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { negotiateChannelProtocol } from '../../../api/streaming/channel-protocol.ts';
import { findContainer } from '../../../api/semantics/pods/pod-containers.ts';
import type { Clock } from '../../../api/base/clock.ts';
import { HTTPProblem } from './http-problem.ts';
import type { RequestTarget } from './request-target.ts';
import { findTargetPod, runningInstance, type TargetDependencies, targetSandbox } from './target.ts';
import { proxyUpgrade, tunnelPortForward } from './upgrade-proxy.ts';
import { serveCommand } from './websocket-streams.ts';

const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';

interface StreamingDependencies extends TargetDependencies {
  readonly clock: Clock;
}

/** Serves requests that switch protocols: /exec, /attach and /portForward. Throws HTTPProblem before anything was switched. */
export interface StreamingRequests {
  serve(request: IncomingMessage, socket: Duplex, head: Buffer, target: RequestTarget): Promise<void>;
}

/** @param idleMs after which a connection that carries nothing is ended; 0: never */
export function createStreamingRequests(dependencies: StreamingDependencies, idleMs: number): StreamingRequests {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 32 << 20,
    autoPong: false, // answered where what is to be sent is bounded
    handleProtocols: (offered, request) => chosen.get(request) ?? [...offered][0] ?? false,
  });
  const chosen = new WeakMap<IncomingMessage, string>();
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, protocol: string) => {
    if (protocol !== '') {
      chosen.set(request, protocol);
      // The name of the tunnel's protocol holds a slash, which RFC 6455 does not allow and the library refuses to read.
      request.headers['sec-websocket-protocol'] = 'chosen';
    }
    return new Promise<WebSocket>((resolve, reject) => {
      // The library answers requests that are not a WebSocket handshake.
      socket.once('close', () => reject(new HTTPProblem(400, 'the connection was closed')));
      sockets.handleUpgrade(request, socket, head, (opened) => {
        // Set before the first frame, so that a malformed frame ends only this connection.
        opened.on('error', () => {}); // the library closes it with the code that fits
        // The library turns it off.
        (socket as Socket).setTimeout(idleMs);
        resolve(opened);
      });
    });
  };
  return {
    async serve(request, socket, head, { path: [action = '', ...path], query }) {
      (socket as Socket).setTimeout(idleMs, () => socket.destroy());
      const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
      const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').flatMap((protocol) => protocol.trim() || []);
      if (action === 'portForward') {
        const url = await portForwardURL(dependencies, path, query);
        const isTunnel = isWebSocket && offered.includes(tunnelProtocol);
        if (!isTunnel) return proxyUpgrade({ ...dependencies, request, socket, head }, url);
        return void (await tunnelPortForward(await upgrade(request, socket, head, tunnelProtocol), url));
      }
      const selection = streamSelection(query);
      const url = await commandURL(dependencies, action, path, query, selection);
      if (!isWebSocket) return proxyUpgrade({ ...dependencies, request, socket, head }, url);
      const protocol = negotiateChannelProtocol(offered, 'remotecommand');
      if (!protocol) throw new HTTPProblem(403, `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}]`);
      await serveCommand(await upgrade(request, socket, head, protocol.name), protocol, url, selection);
    },
  };
}

/** The kubelet's own names (input, output, error) and those of the API (stdin, stdout, stderr) are both understood. */
function streamSelection(query: URLSearchParams) {
  const isSet = (...names: string[]) => names.some((name) => ['1', 'true'].includes(query.get(name) ?? ''));
  const tty = isSet('tty');
  const selection = { stdin: isSet('input', 'stdin'), stdout: isSet('output', 'stdout'), stderr: isSet('error', 'stderr') && !tty, tty };
  if (!selection.stdin && !selection.stdout && !selection.stderr) {
    throw new HTTPProblem(400, 'you must specify at least 1 of stdin, stdout, stderr');
  }
  return selection;
}

async function commandURL(
  dependencies: TargetDependencies,
  action: string,
  path: readonly string[],
  query: URLSearchParams,
  selection: ReturnType<typeof streamSelection>,
): Promise<string> {
  const [namespace = '', podName = '', ...rest] = path;
  const container = rest.at(-1) ?? '';
  const pod = findTargetPod(dependencies, namespace, podName, rest.length > 1 ? rest[0] : '');
  const instance = await runningInstance(dependencies, pod, container);
  if (action === 'exec') return dependencies.runtime.exec(instance.id, query.getAll('command'), selection);
  if (action !== 'attach') throw new HTTPProblem(404, `no such path: /${action}`);
  // Whether there is a terminal is the container's nature, not the client's choice.
  const tty = findContainer(pod.spec, container)?.tty ?? false;
  return dependencies.runtime.attach(instance.id, { ...selection, tty, stderr: selection.stderr && !tty });
}

async function portForwardURL(
  dependencies: TargetDependencies,
  [namespace = '', podName = '', uid = '']: readonly string[],
  query: URLSearchParams,
): Promise<string> {
  const pod = findTargetPod(dependencies, namespace, podName, uid);
  const ports = query
    .getAll('port')
    .flatMap((list) => list.split(','))
    .map(Number);
  if (ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65535))
    throw new HTTPProblem(400, `invalid ports: ${query.getAll('port').join(',')}`);
  return dependencies.runtime.portForward(await targetSandbox(dependencies, pod), ports);
}
