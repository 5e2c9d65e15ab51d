import { type Random, randomInt } from '../../../api/base/random.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { decode } from '../../../api/schema/decode.ts';
import { getDefinitionSchema } from '../../../api/schema/definition-schema.ts';
import { oneOf, randomObject } from '../../../api/schema/testing/random-value.ts';
import { stringifyJSON } from '../../../api/serialization/json.ts';
import { encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import { formatYAML } from '../../../api/serialization/yaml.ts';
import { mutateBytes, mutateJSON, oddTexts, randomBytes } from './mutate.ts';
import { formatJSON } from '../../../api/base/format-json.ts';

/** A request as bytes on the wire. */
export interface MalformedRequest {
  readonly bytes: Buffer;
  readonly method: string;
  /** For the message of a failure. */
  readonly about: string;
}

const methods = ['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'FOO'];
const plainPaths = [
  '/',
  '/api',
  '/api/v1',
  '/apis',
  '/apis/apps',
  '/apis/apps/v1',
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/api/v1',
  '/openapi/v3/apis/apps/v1',
  '/version',
  '/healthz',
  '/livez/ping',
  '/readyz',
  '/metrics',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
  '/logs/',
  '/debug/pprof',
  '/api/v1/watch/pods',
  '/api/v1/watch/namespaces/default/pods/x',
  '/apis/nope/v1/things',
  '/favicon.ico',
  '*',
];
const parameters = [
  'limit',
  'continue',
  'labelSelector',
  'fieldSelector',
  'resourceVersion',
  'resourceVersionMatch',
  'timeoutSeconds',
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'force',
  'pretty',
  'sendInitialEvents',
  'allowWatchBookmarks',
  'gracePeriodSeconds',
  'propagationPolicy',
  'orphanDependents',
  'includeObject',
  'timeout',
  'verbose',
  'exclude',
  'hash',
  'shardSelector',
  'container',
  'tailLines',
  'sinceTime',
  'command',
  'stdin',
  'ports',
  'path',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
];
const mediaTypes = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'application/cbor',
  'text/plain',
  'application/json; charset=utf-8',
  'application/*',
  '*/*',
  ';',
  ',',
  'application/json;as=Table;g=meta.k8s.io;v=v1',
  'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1beta1',
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;stream=watch',
  'application/json;q=x',
  'a/b;c="d',
];
const oddHeaders = [
  'Impersonate-User',
  'Impersonate-Group',
  'Impersonate-Uid',
  'Impersonate-Extra-x',
  'Authorization',
  'If-None-Match',
  'If-Match',
  'Range',
  'Cookie',
  'X-Remote-User',
  'X-Forwarded-For',
  'User-Agent',
  'Audit-ID',
  'Accept-Encoding',
  'Content-Encoding',
  'Expect',
  'Origin',
  'Referer',
  'Kubectl-Command',
  'Upgrade',
  'Connection',
  'Sec-WebSocket-Key',
  'X-Stream-Protocol-Version',
  'Host',
  'Transfer-Encoding',
  'Trailer',
  'TE',
  'Max-Forwards',
];
/** The paths whose changes affect all other requests. */
const onlyDryRun: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io',
  'apiregistration.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'apiextensions.k8s.io',
  'rbac.authorization.k8s.io',
]);
const names = ['a', 'b', 'c', 'web-1', 'default', 'kubernetes', 'none'];

/** Makes the requests that `random` leads to. */
export function createMalformedRequests(random: Random): () => MalformedRequest {
  const chance = (outOf: number) => randomInt(random, outOf) === 0;
  return () => {
    if (chance(12)) return brokenHTTP(random);
    const definition = oneOf(random, catalog);
    const method = oneOf(random, methods);
    const isPlain = chance(8);
    const target = isPlain ? oneOf(random, plainPaths) : pathOf(random, definition, method);
    const query = new URLSearchParams();
    if (method === 'GET' && !isPlain && chance(10)) {
      query.set('watch', '1');
      query.set('timeoutSeconds', '1');
    }
    if (target.includes('/watch/')) query.set('timeoutSeconds', '1');
    const writes = method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'DELETE';
    if (writes && (onlyDryRun.has(definition.group) || !chance(3))) query.set('dryRun', 'All');
    while (chance(3))
      query.append(oneOf(random, parameters), chance(4) ? randomBytes(random, 12).toString('latin1') : oneOf(random, oddTexts));
    if (writes && query.getAll('dryRun').length > 1) query.set('dryRun', 'All');
    const { body, contentType } = writes ? bodyOf(random, definition, method) : { body: Buffer.alloc(0), contentType: '' };
    const path = chance(6) ? mutatePath(random, target) : target;
    const text = query.toString();
    const line = `${method} ${path}${text === '' ? '' : `?${chance(15) ? text.replaceAll('%', '') : text}`} HTTP/1.1`;
    const head = [
      line,
      'Host: localhost',
      ...headersOf(random),
      ...(writes ? [`Content-Type: ${contentType}`, `Content-Length: ${body.length}`] : []),
    ];
    return { bytes: Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]), method, about: line.slice(0, 300) };
  };
}

function pathOf(random: Random, definition: ResourceDefinition, method: string): string {
  const {
    group,
    version,
    names: { plural },
    scope,
    subresources,
  } = definition;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const namespace =
    scope === 'Namespaced' && randomInt(random, 12) > 0
      ? `/namespaces/${oneOf(random, ['default', 'default', 'none', 'kube-system'])}`
      : '';
  const isCollection = method === 'POST' || randomInt(random, 4) === 0;
  // Deleting all of a collection that the server itself needs is no malformed request.
  const collection = `${root}${namespace}/${plural}`;
  const subresource =
    Object.keys(subresources).length > 0 && randomInt(random, 4) === 0 ? `/${oneOf(random, Object.keys(subresources))}` : '';
  return isCollection && subresource === '' ? collection : `${collection}/${oneOf(random, names)}${subresource}`;
}

function mutatePath(random: Random, path: string): string {
  const parts = path.split('/');
  const odd = oneOf(random, oddTexts).replaceAll(/[^!-~\u0080-\uffff]/gu, '%20');
  parts.splice(1 + randomInt(random, parts.length), randomInt(random, 2), Buffer.from(odd).toString('latin1'));
  return parts.join('/');
}

function headersOf(random: Random): string[] {
  const headers: string[] = [];
  if (randomInt(random, 3) === 0) headers.push(`Accept: ${oneOf(random, mediaTypes)}`);
  while (randomInt(random, 5) === 0) {
    const value =
      randomInt(random, 3) === 0 ? oneOf(random, mediaTypes) : oneOf(random, oddTexts).replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/gu, '');
    headers.push(`${oneOf(random, oddHeaders)}: ${value}`);
  }
  return headers;
}

interface Body {
  readonly body: Buffer;
  readonly contentType: string;
}

function bodyOf(random: Random, definition: ResourceDefinition, method: string): Body {
  const isOptions = method === 'DELETE';
  const apiVersion = isOptions ? 'v1' : apiVersionOf(definition);
  const kind = isOptions ? 'DeleteOptions' : definition.names.kind;
  const schema = getDefinitionSchema(isOptions ? 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions' : definition.definition);
  const object: Record<string, unknown> = randomObject(random, { apiVersion, kind, schema });
  if (!isOptions)
    object['metadata'] = {
      ...(object['metadata'] as object | undefined),
      name: oneOf(random, names),
      generateName: '',
      namespace: 'default',
    };
  if (isOptions) object['dryRun'] = ['All'];
  const written = method === 'PATCH' ? patchOf(random, object) : writeObject(random, decode(object, schema).object);
  switch (randomInt(random, 6)) {
    case 0:
      return { ...written, body: mutateBytes(random, written.body) };
    case 1:
      return { ...written, contentType: oneOf(random, mediaTypes) };
    case 2:
      return { ...written, body: randomBytes(random, 200) };
    case 3:
    case 4:
      return written.contentType.includes('json')
        ? { ...written, body: Buffer.from(mutateJSON(random, written.body.toString())) }
        : written;
    default:
      return written;
  }
}

function writeObject(random: Random, object: Record<string, unknown>): Body {
  switch (randomInt(random, 5)) {
    case 0:
      return { body: Buffer.from(formatYAML(object)), contentType: 'application/yaml' };
    case 1:
      return { body: Buffer.from(encodeProtobuf(object)), contentType: 'application/vnd.kubernetes.protobuf' };
    default:
      return { body: Buffer.from(stringifyJSON(object)), contentType: 'application/json' };
  }
}

function patchOf(random: Random, object: Record<string, unknown>): Body {
  const json = formatJSON(object);
  switch (randomInt(random, 4)) {
    case 0:
      return { body: Buffer.from(json), contentType: 'application/merge-patch+json' };
    case 1:
      return { body: Buffer.from(mutateJSON(random, json)), contentType: 'application/strategic-merge-patch+json' };
    case 2:
      return { body: Buffer.from(formatYAML(object)), contentType: 'application/apply-patch+yaml' };
    default: {
      const operations = Array.from({ length: 1 + randomInt(random, 3) }, () => ({
        op: oneOf(random, ['add', 'remove', 'replace', 'move', 'copy', 'test', 'nope']),
        path: oneOf(random, [
          '/metadata/labels',
          '/spec',
          '/data/x',
          '',
          '/',
          '/spec/containers/0',
          '/spec/containers/-',
          '/metadata/~2',
          'x',
          '/metadata/finalizers/99',
        ]),
        from: oneOf(random, ['/metadata', '/spec', '', '/nope']),
        value: oneOf(random, [null, 1, 'x', {}, [], object['spec'] ?? object['metadata']]),
      }));
      return { body: Buffer.from(formatJSON(operations)), contentType: 'application/json-patch+json' };
    }
  }
}

/** Requests that are no HTTP, or only nearly. */
function brokenHTTP(random: Random): MalformedRequest {
  const good = 'GET /api/v1/namespaces HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const texts = [
    'GET\r\n\r\n',
    'GET /api\r\n\r\n',
    'GET /api HTTP/9.9\r\n\r\n',
    'GET /api HTTP/1.1\r\n\r\n',
    'GET /api HTTP/1.1\nHost: x\n\n',
    'get /api HTTP/1.1\r\nHost: x\r\n\r\n',
    '\r\n\r\n\r\n',
    'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n',
    'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{"a":1}',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nzz\r\n{}\r\n0\r\n\r\n',
    'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n',
    'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n',
    'GET /api HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n',
    'GET /api HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n',
    'GET /api HTTP/1.1\r\nHost: x\r\nA: \u0000\r\n\r\n',
    `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET /api HTTP/1.1\r\nHost: x\r\nA: ${'y'.repeat(140_000)}\r\n\r\n`,
    `GET /api HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(3000)}\r\n`,
    'GET /api/v1/namespaces/default/pods/x/exec?command=x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n',
    'GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u0081\u0085',
    'POST /api/v1/namespaces/default/pods/x/portforward HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n\u0080\u0003\u0000\u0001',
    'CONNECT localhost:443 HTTP/1.1\r\nHost: x\r\n\r\n',
    `${good}${good}${good}GARBAGE`,
  ];
  const bytes = randomInt(random, 5) === 0 ? randomBytes(random, 300) : Buffer.from(oneOf(random, texts), 'latin1');
  const sent = randomInt(random, 3) === 0 ? mutateBytes(random, bytes) : bytes;
  return { bytes: sent, method: 'RAW', about: sent.toString('latin1', 0, 200) };
}
