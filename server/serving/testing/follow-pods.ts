import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { readBody } from '../../../api/client/read-body.ts';
import type { APIResponse, Transport } from '../../../api/client/transport.ts';
import { decodeWatchFrames } from '../../../api/client/watch-frames.ts';
import { parseJSON } from '../../../api/serialization/json.ts';
import { decodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import { ProtobufReader } from '../../../api/serialization/protobuf/wire.ts';

/** The object that a follower is about. */
export interface Followed {
  readonly path: string;
  /** Selectors. */
  readonly query: string;
  readonly encoding: 'json' | 'protobuf';
  /** Whether it begins with a list, or with a list that is streamed by the watch. */
  readonly begins: 'list' | 'pages' | 'stream';
}

interface Pod {
  kind?: string;
  apiVersion?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

interface Event {
  readonly type: string;
  readonly object: Pod & { readonly code?: number; readonly message?: string };
}

const protobuf = 'application/vnd.kubernetes.protobuf';
const retryMs = 5;

/**
 * Keeps a copy of selected objects as an informer does: lists, watches, resumes a watch that has ended, and lists again where that is not
 * possible. Every event must fit the copy and be newer than the one before.
 */
export class Follower {
  readonly followed: Followed;
  readonly #connect: () => Transport;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #state = new Map<string, Pod>();
  #revision: number | undefined;
  #failure: unknown;
  /** How often it had to begin anew. */
  beginnings = 0;

  constructor(followed: Followed, connect: () => Transport) {
    this.followed = followed;
    this.#connect = connect;
    this.#running = this.#run();
  }

  /** Waits until it has seen that pod, then compares its copy with a list. */
  async agrees(key: string): Promise<void> {
    const deadlineMs = performance.now() + 15_000;
    while (!this.#state.has(key)) {
      if (this.#failure) throw this.#failure;
      assert.ok(performance.now() < deadlineMs, `${JSON.stringify(this.followed)} never saw ${key}`);
      await delay(2);
    }
    const { items } = await this.#list('');
    const listed = new Map(items.map((pod) => [keyOf(pod), pod]));
    assert.deepEqual([...this.#state.keys()].toSorted(), [...listed.keys()]);
    for (const [name, pod] of listed) assert.ok(isDeepStrictEqual(bare(this.#state.get(name)), bare(pod)), `${name} differs`);
    if (this.#failure) throw this.#failure;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    if (this.#failure) throw this.#failure;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#follow();
      } catch (error) {
        if (error instanceof assert.AssertionError) {
          this.#failure = error;
          return;
        }
        // The server is gone, or is just coming.
        await delay(retryMs);
      }
    }
  }

  async #follow(): Promise<void> {
    const { begins, encoding } = this.followed;
    let options = `allowWatchBookmarks=true&resourceVersion=${this.#revision ?? ''}`;
    if (this.#revision === undefined) {
      this.beginnings++;
      if (begins === 'stream') {
        this.#state = new Map();
        options = 'allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
      } else {
        const { items, revision } = await this.#list(begins === 'pages' ? 'limit=3' : '');
        this.#state = new Map(items.map((pod) => [keyOf(pod), pod]));
        this.#revision = revision;
        options = `allowWatchBookmarks=true&resourceVersion=${revision}`;
      }
    }
    const accept = encoding === 'json' ? 'application/json' : `${protobuf};stream=watch`;
    const response = await this.#send(`watch=true&${options}`, accept);
    if (response.status === 410) this.#revision = undefined;
    assert.ok(response.status === 200 || response.status === 410 || response.status >= 500, `watch answered with ${response.status}`);
    if (response.status !== 200 || response.body.kind !== 'stream') return;
    const events = encoding === 'json' ? decodeWatchFrames(response.body.chunks) : decodeFrames(response.body.chunks);
    for await (const event of events) if (!this.#apply(event as Event)) return;
    // A list that was cut off half-way is no list.
    if (this.#revision === undefined) this.#state = new Map();
  }

  /** Whether to go on. */
  #apply({ type, object }: Event): boolean {
    const what = `${type} ${object.metadata?.name ?? object.message} for ${JSON.stringify(this.followed)}`;
    if (type === 'ERROR') {
      assert.ok(object.code === 410 || (object.code ?? 0) >= 500, what);
      if (object.code === 410) this.#revision = undefined;
      return false;
    }
    const revision = Number(object.metadata.resourceVersion);
    if (type === 'BOOKMARK') {
      assert.ok(revision >= (this.#revision ?? 0), `${what} goes back to ${revision}`);
      const isEnd = object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true';
      if (this.#revision !== undefined || isEnd) this.#revision = revision;
      return true;
    }
    const key = keyOf(object);
    assert.equal(this.#state.has(key), type !== 'ADDED', what);
    if (this.#revision !== undefined) {
      assert.ok(revision > this.#revision, `${what} is not after ${this.#revision}`);
      this.#revision = revision;
    }
    if (type === 'DELETED') this.#state.delete(key);
    else this.#state.set(key, object);
    return true;
  }

  async #list(options: string): Promise<{ items: Pod[]; revision: number }> {
    const items: Pod[] = [];
    let token = '';
    for (;;) {
      const { status, body } = await this.#send(`${options}${token}`, this.followed.encoding === 'json' ? 'application/json' : protobuf);
      const bytes = await readBody(body);
      if (status !== 200) throw new Error(`the list was answered with ${status}`);
      const list = (this.followed.encoding === 'json' ? parseJSON(bytes).value : decodeProtobuf(bytes)) as {
        readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
        readonly items?: readonly Pod[];
      };
      items.push(...(list.items ?? []));
      if (!list.metadata.continue) return { items, revision: Number(list.metadata.resourceVersion) };
      token = `&continue=${list.metadata.continue}`;
    }
  }

  #send(options: string, accept: string): Promise<APIResponse> {
    const { path, query } = this.followed;
    const text = [query, options].filter((part) => part !== '').join('&');
    return this.#connect()({ method: 'GET', path, query: text, headers: { accept }, signal: this.#stopping.signal });
  }
}

const keyOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;

function bare(pod: Pod | undefined): object | undefined {
  if (!pod) return undefined;
  const { kind: _kind, apiVersion: _version, ...rest } = pod;
  return rest;
}

/** Decodes the events of a watch in protobuf: a length, then a WatchEvent with the object in its envelope. */
async function* decodeFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<{ type: string; object: unknown }> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const end = 4 + pending.readUInt32BE(0);
      const event = fieldsOf(pending.subarray(4, end));
      const { 1: object } = fieldsOf(event[2] ?? new Uint8Array());
      yield { type: Buffer.from(event[1] ?? []).toString(), object: decodeProtobuf(object ?? new Uint8Array()) };
      pending = pending.subarray(end);
    }
  }
}

function fieldsOf(message: Uint8Array): Record<number, Uint8Array> {
  const reader = new ProtobufReader(message);
  const fields: Record<number, Uint8Array> = {};
  while (!reader.isAtEnd) fields[reader.tag().number] = reader.bytes();
  return fields;
}
