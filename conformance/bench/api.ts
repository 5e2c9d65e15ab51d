import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import { parseArgs } from 'node:util';
import { load } from 'js-yaml';

/**
 * Operations per second and latencies of the API of any cluster: ConfigMaps are created, read and listed, over HTTP/1.1
 * and HTTP/2, with so many connections that each wait for an answer before they ask again.
 *
 *   node conformance/bench/api.ts --kubeconfig FILE [--seconds 3] [--connections 1,16,64] [--protocols h1,h2]
 */
interface Credentials {
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface Connection {
  /** Resolves when the whole answer has been read; rejects unless it is a 2xx. */
  send(method: string, path: string, body?: string): Promise<void>;
  close(): void;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }[];
  readonly users: readonly { readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string } }[];
}

const namespace = 'default';
const collection = `/api/v1/namespaces/${namespace}/configmaps`;
const label = 'bench=api';
const listed = 100;
const payload = 'x'.repeat(1024);

function readCredentials(file: string): Credentials {
  const { clusters, users } = load(readFileSync(file, 'utf8')) as Kubeconfig;
  const cluster = clusters[0]?.cluster;
  const user = users[0]?.user;
  if (!cluster || !user) throw new Error(`${file} names no cluster or no user`);
  const decode = (text: string) => Buffer.from(text, 'base64').toString();
  return {
    server: cluster.server,
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  };
}

function connectHTTP1({ server, ca, cert, key }: Credentials): Connection {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca, cert, key });
  return {
    send: (method, path, body) =>
      new Promise((resolve, reject) => {
        const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
        const request = https.request(new URL(path, server), { agent, method, headers }, (response) => {
          response.resume();
          response.on('end', () => settle(response.statusCode, `${method} ${path}`, resolve, reject));
          response.on('error', reject);
        });
        request.on('error', reject);
        request.end(body);
      }),
    close: () => agent.destroy(),
  };
}

function connectHTTP2({ server, ca, cert, key }: Credentials): Connection {
  const session = http2.connect(server, { ca, cert, key });
  session.on('error', () => {});
  return {
    send: (method, path, body) =>
      new Promise((resolve, reject) => {
        const headers = body === undefined ? {} : { 'content-type': 'application/json' };
        const stream = session.request({ ':method': method, ':path': path, ...headers });
        let status: number | undefined;
        stream.on('response', (answer) => (status = answer[':status']));
        stream.on('error', reject);
        stream.on('end', () => settle(status, `${method} ${path}`, resolve, reject));
        stream.resume();
        stream.end(body);
      }),
    close: () => session.destroy(),
  };
}

function settle(status: number | undefined, what: string, resolve: () => void, reject: (error: Error) => void): void {
  if (status !== undefined && status >= 200 && status < 300) resolve();
  else reject(new Error(`${what} answered ${status}`));
}

function configMap(name: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { bench: 'api' } },
    data: { payload },
  });
}

/** Every connection works on its own, so that a slow answer holds up nobody else. */
async function measure(connections: readonly Connection[], seconds: number, once: (connection: Connection) => Promise<void>) {
  await Promise.all(connections.map((connection) => once(connection)));
  const latencies: number[] = [];
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1000;
  const work = async (connection: Connection) => {
    for (let sentMs = performance.now(); sentMs < endMs; sentMs = performance.now()) {
      await once(connection);
      latencies.push(performance.now() - sentMs);
    }
  };
  await Promise.all(connections.map(work));
  const elapsedMs = performance.now() - startedMs;
  latencies.sort((a, b) => a - b);
  const quantile = (part: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? Number.NaN;
  return { perSecond: (latencies.length / elapsedMs) * 1000, p50: quantile(0.5), p99: quantile(0.99) };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: 'string' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '1,16,64' },
      protocols: { type: 'string', default: 'h1,h2' },
    },
  });
  if (values.kubeconfig === undefined) throw new Error('--kubeconfig FILE is needed');
  const credentials = readCredentials(values.kubeconfig);
  const control = connectHTTP1(credentials);
  const clear = () => control.send('DELETE', `${collection}?labelSelector=${encodeURIComponent(label)}`);
  await clear();
  let made = 0;
  console.log(`${'operation'.padEnd(12)} ${'over'.padEnd(4)} connections       ops/s   p50 ms   p99 ms`);
  for (const protocol of values.protocols.split(',')) {
    for (const count of values.connections.split(',').map(Number)) {
      const connections = Array.from({ length: count }, () => (protocol === 'h2' ? connectHTTP2 : connectHTTP1)(credentials));
      const report = async (name: string, once: (connection: Connection) => Promise<void>) => {
        const { perSecond, p50, p99 } = await measure(connections, Number(values.seconds), once);
        const columns = [perSecond.toFixed(0).padStart(11), p50.toFixed(2).padStart(8), p99.toFixed(2).padStart(8)];
        console.log(`${name.padEnd(12)} ${protocol.padEnd(4)} ${String(count).padStart(11)} ${columns.join(' ')}`);
      };
      await report('create', (connection) => connection.send('POST', collection, configMap(`bench-${made++}`)));
      await clear();
      for (let index = 0; index < listed; index++) await control.send('POST', collection, configMap(`listed-${index}`));
      await report('get', (connection) => connection.send('GET', `${collection}/listed-0`));
      await report(`list ${listed}`, (connection) => connection.send('GET', `${collection}?labelSelector=${encodeURIComponent(label)}`));
      await clear();
      for (const connection of connections) connection.close();
    }
  }
  control.close();
}

await main();
