import type { APIResponse, RawWatchEvent } from '../../../api/client/transport.ts';
import { type Random, randomInt } from '../../../api/base/random.ts';
import { resourceExpired } from '../../../api/meta/status-errors.ts';
import type { Status } from '../../../api/meta/status.ts';
import { statusOf } from '../../../api/meta/status-errors.ts';
import { isMetaKind, type NegotiatedOutput } from '../../../api/serialization/negotiate.ts';
import { protobufMediaType } from '../../../api/serialization/media-types.ts';
import { StorageError } from '../../storage/storage.ts';
import type { CachedObject, CacheEvents } from '../../storage/watch-cache/watch-cache.ts';
import { interpretStorageError } from '../registry/interpret-storage-error.ts';
import { reachRevision } from '../registry/reach-revision.ts';
import type { Store } from '../registry/store.ts';
import { asksForWebSocket } from '../watching/websocket-output.ts';
import type { RequestContext } from '../request/request-context.ts';
import { type ListOptions, parseListOptions } from '../lists/list-options.ts';
import { negotiateObject } from '../responses/object-response.ts';
import { createLateSelection } from '../watching/late-selection.ts';
import { createTurns } from '../registry/turns.ts';
import { parseSelection, type Selection } from '../lists/selection.ts';
import { createWatchEncoder, type WatchEncoder } from '../watching/watch-encoder.ts';
import { followFrames, joinFrames } from '../watching/join-frames.ts';
import { watchOverWebSocket } from '../watching/watch-websocket.ts';
import type { WatchStep } from '../watching/watch-step.ts';

/** The length before each event in protobuf. */
const frameHeadLength = 4;

/** A client that reads nothing for so long, while events wait for it, has stopped to watch. */
const patienceMs = 60_000;

/** Steps that are sent together. */
export interface WatchSteps {
  readonly steps: readonly WatchStep[];
  /** A value made of these events, once for all watches that encode them in the same way; a representation always has one type. */
  readonly shared?: <T extends object>(representation: string, make: () => T) => T;
}

/** How long watches last that say nothing of it: at least so long, and up to twice that, so that they spread over servers. */
export interface WatchDuration {
  readonly minSeconds: number;
  readonly random: Random;
}

/** Answers a watch, until `ended` at the latest. */
export async function watchEndpoint(
  context: RequestContext,
  store: Store,
  { minSeconds, random }: WatchDuration,
  ended?: AbortSignal,
): Promise<APIResponse> {
  const options = parseListOptions(context, true);
  const allowsKind = streamsList(options) ? isStreamedKind : isMetaKind;
  negotiateObject(context, store.definition, { allowsKind });
  const output = negotiateObject(context, store.definition, { allowsKind, isWatch: true });
  const selection = parseSelection(context, store);
  const encoder = createWatchEncoder(context, store, output);
  const timeoutSeconds = options.timeoutSeconds || minSeconds + randomInt(random, minSeconds);
  const ending = new AbortController();
  const end = () => ending.abort();
  const timer = context.clock.setTimer(timeoutSeconds * 1000, end, { background: true });
  const signals = ended ? [context.signal, ended] : [context.signal];
  if (signals.some(({ aborted }) => aborted)) end();
  else for (const signal of signals) signal.addEventListener('abort', end, { once: true });
  const release = () => {
    timer.cancel();
    for (const signal of signals) signal.removeEventListener('abort', end);
    end();
  };
  const steps = await begin(context, store, selection, options, ending.signal).catch((error: unknown) => {
    release();
    throw error;
  });
  if (asksForWebSocket(context.request)) {
    const isProtobuf = output.mediaType.name === protobufMediaType.name;
    const frames = framesOf(encoder, steps, release);
    return watchOverWebSocket(context.request, { isText: !isProtobuf, frames, headLength: isProtobuf ? frameHeadLength : 0, release });
  }
  const chunks = chunksOf(context, encoder, steps, release);
  return {
    status: 200,
    headers: { 'content-type': contentTypeOf(output) },
    body: { kind: 'stream', chunks, events: eventsOf(store, steps, release) },
    patience: { ms: patienceMs, each: 'pause' },
  };
}

/** Whether a watch begins with the existing objects in place of a list (KEP-3157). */
function streamsList({ sendInitialEvents, allowBookmarks }: ListOptions): boolean {
  return sendInitialEvents === true && allowBookmarks;
}

/** A list that is streamed is never a Table. */
function isStreamedKind(...[requested, mediaType]: Parameters<typeof isMetaKind>): boolean {
  return requested.kind !== 'Table' && isMetaKind(requested, mediaType);
}

/** JSON streams are announced as plain JSON, as clients know them. */
function contentTypeOf({ mediaType }: NegotiatedOutput): string {
  const { name, streamContentType = name } = mediaType;
  return name === 'application/json' ? name : streamContentType;
}

/** Decides where the watch starts; reads the present state first where its objects are to be sent. */
async function begin(
  context: RequestContext,
  store: Store,
  selection: Selection,
  options: ListOptions,
  signal: AbortSignal,
): Promise<AsyncIterable<WatchSteps>> {
  const { cache } = store;
  const { resourceVersion: version, sendInitialEvents, allowBookmarks } = options;
  const reach = (revision: number | 'newest') => reachRevision(cache, revision, context.signal);
  try {
    const isFromState = version === undefined || version === 0;
    if (version === undefined) await reach('newest');
    else if (sendInitialEvents && version > 0) await reach(version);
    const sendsState = sendInitialEvents ?? isFromState;
    const start = isFromState || sendsState ? cache.revision() : (version ?? 0);
    const listing = sendsState ? cache.list({ keyPrefix: selection.keyPrefix }) : undefined;
    const events = cache
      .watch({
        scope: selection.scope,
        afterRevision: listing?.revision ?? start,
        bookmarks: allowBookmarks,
        signal,
      })
      [Symbol.asyncIterator]();
    const initialized = () => context.watchInitialized?.();
    if (!listing) initialized();
    return stepsOf({
      store,
      selection,
      listing,
      events,
      start,
      marksInitialEnd: streamsList(options),
      initialized,
    });
  } catch (error) {
    throw interpretStorageError(error, store.definition);
  }
}

interface Beginning {
  readonly store: Store;
  readonly selection: Selection;
  /** The present state, where it is to be sent. */
  readonly listing: { readonly objects: Iterable<CachedObject>; readonly revision: number } | undefined;
  readonly events: AsyncIterator<CacheEvents, undefined>;
  readonly start: number;
  readonly marksInitialEnd: boolean;
  /** To be called when all that was there at the beginning has been sent. */
  readonly initialized: () => void;
}

async function* stepsOf({ store, selection, listing, events, start, marksInitialEnd, initialized }: Beginning): AsyncGenerator<WatchSteps> {
  const late = selection.matchesConverted ? createLateSelection(selection.matchesConverted) : undefined;
  try {
    if (listing) {
      for await (const batch of prepared(store, listed(listing.objects, selection))) yield late ? alone(late(batch.steps)) : batch;
    }
    if (marksInitialEnd && listing) yield alone([{ type: 'INITIAL_END', revision: listing.revision }]);
    initialized();
    for (let next = await events.next(); !next.done; next = await events.next()) {
      const { value } = next;
      if (store.prepare) await store.prepare(objectsOf(value.events), noSignal);
      if (late) yield alone(late(value.events));
      else yield { steps: value.events, shared: (representation, make) => value.shared(representation, make) };
    }
  } catch (error) {
    // The answer has begun with 200: from here on failures are events.
    if (error instanceof StorageError && error.reason === 'compacted') yield alone([{ type: 'ERROR', status: tooOld(start, error) }]);
    else yield alone([{ type: 'ERROR', status: statusOf(interpretStorageError(error, store.definition)) }]);
  } finally {
    await events.return?.();
  }
}

/** Calls of conversion webhooks have their own time limit. */
const noSignal = new AbortController().signal;

function objectsOf(steps: readonly WatchStep[]): CachedObject[] {
  return steps.flatMap((step) => ('object' in step ? [step.object] : []));
}

/** The same, with objects that can be read. */
async function* prepared(store: Store, batches: AsyncIterable<WatchSteps>): AsyncGenerator<WatchSteps> {
  for await (const batch of batches) {
    if (store.prepare) await store.prepare(objectsOf(batch.steps), noSignal);
    yield batch;
  }
}

/** The most objects that are examined, and so sent, without a pause for other work. */
const listedAtOnce = 100;

async function* listed(objects: Iterable<CachedObject>, selection: Selection): AsyncGenerator<WatchSteps> {
  let steps: WatchStep[] = [];
  const turns = createTurns();
  let seen = 0;
  for (const object of objects) {
    if (selection.matches(object)) steps.push({ type: 'ADDED', object });
    if (turns.isOver(selection.cost)) await turns.next();
    if (++seen % listedAtOnce > 0) continue;
    if (steps.length > 0) yield alone(steps);
    steps = [];
    await nextTurn();
  }
  if (steps.length > 0) yield alone(steps);
}

function alone(steps: readonly WatchStep[]): WatchSteps {
  return { steps };
}

function tooOld(requested: number, { revision }: StorageError): Status {
  return resourceExpired(`too old resource version: ${requested}${revision === undefined ? '' : ` (${revision})`}`).status;
}

/** The bytes for a connection: frames that come together in few pieces, made once for all watches that get the same. */
async function* chunksOf(
  context: RequestContext,
  { representation, encode }: WatchEncoder,
  steps: AsyncIterable<WatchSteps>,
  release: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const batch of steps) {
      const frames = () => batch.steps.map(encode);
      const isShared = representation !== undefined && batch.shared !== undefined;
      const { chunks, sizes } = isShared ? batch.shared(representation, () => joinFrames(frames())) : followFrames(frames());
      context.watchEventsSent?.(sizes);
      yield* chunks;
      if (batch.steps.at(-1)?.type === 'ERROR') return;
    }
  } finally {
    release();
  }
}

/** Encodes the events as messages, one for each. */
async function* framesOf({ encode }: WatchEncoder, steps: AsyncIterable<WatchSteps>, release: () => void): AsyncGenerator<Uint8Array> {
  try {
    for await (const batch of steps) {
      for (const step of batch.steps) {
        const parts = encode(step);
        yield parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
        if (step.type === 'ERROR') return;
      }
    }
  } finally {
    release();
  }
}

/** For in-process readers: objects are parsed once and shared. */
async function* eventsOf(store: Store, batches: AsyncIterable<WatchSteps>, release: () => void): AsyncGenerator<RawWatchEvent> {
  const bookmark = (revision: number, annotations?: Record<string, string>) => ({
    metadata: { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) },
  });
  try {
    for await (const { steps } of batches) {
      for (const step of steps) {
        if (step.type === 'BOOKMARK') yield { type: 'BOOKMARK', object: bookmark(step.revision) };
        else if (step.type === 'INITIAL_END')
          yield { type: 'BOOKMARK', object: bookmark(step.revision, { 'k8s.io/initial-events-end': 'true' }) };
        else if (step.type === 'ERROR') return void (yield { type: 'ERROR', object: step.status as never });
        else yield { type: step.type, object: store.read(step.object) as RawWatchEvent['object'] };
      }
    }
  } finally {
    release();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
