import { setTimeout as delay } from 'node:timers/promises';
import { concatBytes, readBody } from '../../../api/client/read-body.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { Cluster } from '../../framework/connect-cluster.ts';
import { benchResources, objectName } from '../objects.ts';

/** A mixed load at a steady pace on a bounded number of objects, which leaves nothing behind. */
interface SoakLoad {
  /** How often which operation was answered, and with which status. */
  counts(): ReadonlyMap<string, number>;
  /** Failures that are not answers. */
  errors(): ReadonlyMap<string, number>;
  /** Ends all of it. */
  stop(): Promise<void>;
}

interface LoadOptions {
  readonly cluster: Cluster;
  readonly namespaces: readonly string[];
  readonly random: () => number;
  /** Operations per second, all together. */
  readonly rate: number;
}

const writers = 12;
const informers = 30;
/** Names that objects have: about half of them exist at any time. */
const names = 300;
const maxWatchMs = 20_000;

const resources = [benchResources.configmaps, benchResources.pods];
const accepts = [
  'application/json',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json',
  'application/yaml',
];
const listQueries = ['', 'limit=50', 'resourceVersion=0', 'labelSelector=color%3Dblue', 'fieldSelector=metadata.name%3Dbench-7'];
const watchQueries = [
  '',
  'labelSelector=color%3Dblue',
  'resourceVersion=0',
  'sendInitialEvents=true&resourceVersionMatch=NotOlderThan',
  'fieldSelector=metadata.name%3Dbench-7',
];

export function startSoakLoad({ cluster, namespaces, random, rate }: LoadOptions): SoakLoad {
  const stopping = new AbortController();
  const { signal } = stopping;
  const counts = new Map<string, number>();
  const errors = new Map<string, number>();
  const count = (into: Map<string, number>, what: string) => into.set(what, (into.get(what) ?? 0) + 1);
  const pick = <T>(from: readonly T[]): T => {
    const picked = from[Math.floor(random() * from.length)];
    if (picked === undefined) throw new Error('there is nothing to pick from');
    return picked;
  };
  const send = (method: string, target: string, headers: Record<string, string>, body?: string, until = signal): Promise<APIResponse> => {
    const [path = '', query = ''] = target.split('?');
    const bytes = body === undefined ? {} : { body: Buffer.from(body) };
    return cluster.transport({ method, path, query, headers, ...bytes, signal: until });
  };
  const call = async (what: string, ...request: Parameters<typeof send>): Promise<string> => {
    const response = await send(...request);
    const text = Buffer.from(await readBody(response.body)).toString();
    count(counts, `${what} ${response.status}`);
    return text;
  };

  const write = async () => {
    const resource = pick(resources);
    const collection = resource.collection(pick(namespaces));
    const name = objectName.replace('%N%', String(Math.floor(random() * names)));
    const json = { 'content-type': 'application/json' };
    const value = String(Math.floor(random() * 1e9));
    const chosen = random();
    if (chosen < 0.3)
      await call('create', 'POST', collection, json, resource.body(name, { color: pick(['blue', 'red', 'green']) }).replace('%V%', value));
    else if (chosen < 0.55) {
      const patch = JSON.stringify({ metadata: { annotations: { 'soak/value': value } } });
      await call('patch', 'PATCH', `${collection}/${name}`, { 'content-type': 'application/merge-patch+json' }, patch);
    } else if (chosen < 0.65) {
      const kind = resource === benchResources.pods ? 'Pod' : 'ConfigMap';
      const applied = JSON.stringify({ apiVersion: 'v1', kind, metadata: { name, labels: { applied: value } } });
      const type = { 'content-type': 'application/apply-patch+yaml' };
      await call('apply', 'PATCH', `${collection}/${name}?fieldManager=soak&force=true`, type, applied);
    } else if (chosen < 0.75) {
      const read = await call('get', 'GET', `${collection}/${name}`, { accept: 'application/json' });
      if (read.includes('"kind":"Status"')) return;
      await call('update', 'PUT', `${collection}/${name}`, json, read.replace(/"labels":\{/, `"labels":{"updated":"${value}",`));
    } else if (chosen < 0.95) await call('delete', 'DELETE', `${collection}/${name}?gracePeriodSeconds=0`, {});
    else await call('list', 'GET', `${collection}?${pick(listQueries)}`, { accept: pick(accepts) });
  };

  const work = async () => {
    while (!signal.aborted) {
      const dueMs = performance.now() + (writers * 1000) / rate;
      await write();
      await delay(Math.max(0, dueMs - performance.now()), undefined, { signal });
    }
  };
  /** Lists, watches for a while from there, and begins anew, as a client that loses its connection. */
  const inform = async () => {
    while (!signal.aborted) {
      const collection = random() < 0.3 ? `/api/v1/${pick(resources).plural}` : pick(resources).collection(pick(namespaces));
      await call('list', 'GET', `${collection}?${pick(listQueries)}`, { accept: pick(accepts) });
      const until = AbortSignal.any([signal, AbortSignal.timeout(Math.round(1000 + random() * maxWatchMs))]);
      const accept = random() < 0.3 ? 'application/vnd.kubernetes.protobuf;stream=watch,application/json' : 'application/json';
      await watch(
        await send('GET', `${collection}?watch=true&allowWatchBookmarks=true&${pick(watchQueries)}`, { accept }, undefined, until),
        until,
      );
    }
  };
  const watch = async ({ status, body }: APIResponse, until: AbortSignal) => {
    count(counts, `watch ${status}`);
    if (body.kind !== 'stream') return;
    try {
      for await (const chunk of body.chunks) if (concatBytes([chunk]).length > 0) count(counts, 'pieces of watches');
    } catch (error) {
      if (!until.aborted) throw error;
    }
  };
  /** Continues after errors, which are reported at the end. */
  const keepOn = async (task: () => Promise<void>) => {
    while (!signal.aborted) {
      try {
        await task();
      } catch (error) {
        if (signal.aborted) return;
        const isTimeout = error instanceof Error && error.name === 'TimeoutError';
        if (!isTimeout) count(errors, error instanceof Error ? error.message : String(error));
        await delay(100);
      }
    }
  };
  const tasks = [...Array.from({ length: writers }, () => keepOn(work)), ...Array.from({ length: informers }, () => keepOn(inform))];
  return {
    counts: () => counts,
    errors: () => errors,
    async stop() {
      stopping.abort();
      await Promise.all(tasks);
    },
  };
}
