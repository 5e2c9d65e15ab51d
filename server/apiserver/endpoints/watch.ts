import type { APIResponse, RawWatchEvent } from '../../../api/client/transport.ts';
import { type Random, randomInt } from '../../../api/base/random.ts';
import { resourceExpired } from '../../../api/meta/status-errors.ts';
import type { Status } from '../../../api/meta/status.ts';
import { statusOf } from '../../../api/meta/status-errors.ts';
import { isMetaKind, type NegotiatedOutput } from '../../../api/serialization/negotiate.ts';
import { protobufMediaType } from '../../../api/serialization/media-types.ts';
import { StorageError } from '../../storage/storage.ts';
import type { CachedObject, CacheEvent } from '../../storage/watch-cache/watch-cache.ts';
import { interpretStorageError } from '../registry/interpret-storage-error.ts';
import { reachRevision } from '../registry/reach-revision.ts';
import type { Store } from '../registry/store.ts';
import { asksForWebSocket } from '../registry/subresources/websocket-output.ts';
import type { RequestContext } from '../request-context.ts';
import { type ListOptions, parseListOptions } from './list-options.ts';
import { negotiateObject } from './object-response.ts';
import { parseSelection, type Selection } from './selection.ts';
import { createWatchEncoder } from './watch-encoder.ts';
import { watchOverWebSocket } from './watch-websocket.ts';

/** The length before each event in protobuf. */
const frameHeadLength = 4;

/** What the encoder makes frames of. */
export type WatchStep =
  | CacheEvent
  /** All that was there at the beginning has been sent (KEP-3157). */
  | { readonly type: 'INITIAL_END'; readonly revision: number }
  | { readonly type: 'ERROR'; readonly status: Status };

/** How long watches last that say nothing of it: at least so long, and up to twice that, so that they spread over servers. */
export interface WatchDuration {
  readonly minSeconds: number;
  readonly random: Random;
}

export async function watchEndpoint(context: RequestContext, store: Store, { minSeconds, random }: WatchDuration): Promise<APIResponse> {
  const options = parseListOptions(context, true);
  const allowsKind = streamsList(options) ? isStreamedKind : isMetaKind;
  negotiateObject(context, store.definition, { allowsKind });
  const output = negotiateObject(context, store.definition, { allowsKind, isWatch: true });
  const selection = parseSelection(context, store);
  const timeoutSeconds = options.timeoutSeconds || minSeconds + randomInt(random, minSeconds);
  const ending = new AbortController();
  const end = () => ending.abort();
  const timer = context.clock.setTimer(timeoutSeconds * 1000, end, { background: true });
  if (context.signal.aborted) end();
  else context.signal.addEventListener('abort', end, { once: true });
  const release = () => {
    timer.cancel();
    context.signal.removeEventListener('abort', end);
    end();
  };
  const steps = await begin(context, store, selection, options, ending.signal).catch((error: unknown) => {
    release();
    throw error;
  });
  const chunks = framesOf(context, store, output, steps, release);
  if (asksForWebSocket(context.request)) {
    const isProtobuf = output.mediaType.name === protobufMediaType.name;
    return watchOverWebSocket(context.request, { isText: !isProtobuf, chunks, headLength: isProtobuf ? frameHeadLength : 0, release });
  }
  return {
    status: 200,
    headers: { 'content-type': contentTypeOf(output) },
    body: { kind: 'stream', chunks, events: eventsOf(store, steps, release) },
  };
}

/** Whether a watch stands for a list and what follows (KEP-3157). */
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
): Promise<AsyncIterable<WatchStep>> {
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
        keyPrefix: selection.singleKey ?? selection.keyPrefix,
        afterRevision: listing?.revision ?? start,
        matches: selection.matchesEverything ? () => true : selection.matches,
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
  readonly events: AsyncIterator<CacheEvent, undefined>;
  readonly start: number;
  readonly marksInitialEnd: boolean;
  /** To be called when all that was there at the beginning has been sent. */
  readonly initialized: () => void;
}

async function* stepsOf({ store, selection, listing, events, start, marksInitialEnd, initialized }: Beginning): AsyncGenerator<WatchStep> {
  try {
    for (const object of listing?.objects ?? []) if (selection.matches(object)) yield { type: 'ADDED', object };
    if (marksInitialEnd && listing) yield { type: 'INITIAL_END', revision: listing.revision };
    initialized();
    for (let next = await events.next(); !next.done; next = await events.next()) yield next.value;
  } catch (error) {
    // The answer has begun with 200: from here on failures are events.
    if (error instanceof StorageError && error.reason === 'compacted') yield { type: 'ERROR', status: tooOld(start, error) };
    else yield { type: 'ERROR', status: statusOf(interpretStorageError(error, store.definition)) };
  } finally {
    await events.return?.();
  }
}

function tooOld(requested: number, { revision }: StorageError): Status {
  return resourceExpired(`too old resource version: ${requested}${revision === undefined ? '' : ` (${revision})`}`).status;
}

async function* framesOf(
  context: RequestContext,
  store: Store,
  output: NegotiatedOutput,
  steps: AsyncIterable<WatchStep>,
  release: () => void,
): AsyncGenerator<Uint8Array> {
  const encode = createWatchEncoder(context, store, output);
  try {
    for await (const step of steps) {
      yield encode(step);
      if (step.type === 'ERROR') return;
    }
  } finally {
    release();
  }
}

/** For in-process readers: objects are parsed once and shared. */
async function* eventsOf(store: Store, steps: AsyncIterable<WatchStep>, release: () => void): AsyncGenerator<RawWatchEvent> {
  const bookmark = (revision: number, annotations?: Record<string, string>) => ({
    metadata: { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) },
  });
  try {
    for await (const step of steps) {
      if (step.type === 'BOOKMARK') yield { type: 'BOOKMARK', object: bookmark(step.revision) };
      else if (step.type === 'INITIAL_END')
        yield { type: 'BOOKMARK', object: bookmark(step.revision, { 'k8s.io/initial-events-end': 'true' }) };
      else if (step.type === 'ERROR') return void (yield { type: 'ERROR', object: step.status as never });
      else yield { type: step.type, object: store.read(step.object) as RawWatchEvent['object'] };
    }
  } finally {
    release();
  }
}
