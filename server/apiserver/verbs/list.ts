import type { APIResponse } from '../../../api/client/transport.ts';
import type { ListMetadata } from '../../../api/meta/list.ts';
import { resourceExpired } from '../../../api/meta/status-errors.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { apiVersionOf } from '../../../api/resource/resource-definition.ts';
import { partialObjectMetadata, tableRow, toTable } from '../../../api/resource/table.ts';
import { StorageError } from '../../storage/storage.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';
import type { ItemNotation } from '../../../api/serialization/format-list-item.ts';
import { createTurns } from '../registry/turns.ts';
import { wantsPretty } from '../responses/error-response.ts';
import { interpretStorageError } from '../registry/interpret-storage-error.ts';
import { annotating } from '../audit/audit-record.ts';
import { storeLatency } from '../registry/store-latency.ts';
import { reachRevision } from '../registry/reach-revision.ts';
import type { Batches } from '../registry/read-batches.ts';
import type { Store } from '../registry/store.ts';
import type { RequestContext } from '../request/request-context.ts';
import { formatContinueToken, parseContinueToken } from '../lists/continue-token.ts';
import { joinList, joinListInProtobuf } from '../lists/join-list.ts';
import { parseListOptions } from '../lists/list-options.ts';
import { listDocumentResponse } from '../lists/list-document.ts';
import { createItemReader, parseItem } from '../lists/list-items.ts';
import {
  checkMetadataKind,
  encodeMetadata,
  isProtobuf,
  negotiateObject,
  tableOptions,
  valueResponse,
} from '../responses/object-response.ts';
import { parseSelection, type Selection } from '../lists/selection.ts';

/** One page of a list. */
export interface Page {
  readonly objects: readonly CachedObject[];
  readonly metadata: ListMetadata;
}

export async function listEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  const { definition } = store;
  const output = negotiateObject(context, definition);
  const { objects, metadata } = await readPage(context, store);
  checkMetadataKind(output, definition, true);
  const count = objects.length;
  const objectAt = (index: number) => objects[index] ?? missing(index);
  const bytesAt = (index: number) => store.bytes(objectAt(index)).length;
  if (output.as?.kind === 'Table') {
    const options = tableOptions(context, output);
    const { rows: _, ...head } = toTable(definition, [], metadata, options);
    const itemAt = (index: number) => tableRow(definition, store.read(objectAt(index)), options);
    return listDocumentResponse(context, output, { head, member: 'rows', count, itemAt, bytesAt });
  }
  if (output.as) {
    const { version } = output.as;
    const head = { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${version}`, metadata };
    const itemAt = (index: number) => partialObjectMetadata(store.read(objectAt(index)), version);
    const whole = () => ({ ...head, items: objects.map((_, index) => itemAt(index)) });
    // Upstream makes such lists item by item, and begins with none.
    if (count === 0 && !isProtobuf(output)) return valueResponse(context, output, () => ({ ...head, items: null }));
    if (isProtobuf(output)) return joinListInProtobuf(head, objects, (object) => encodeMetadata(store, object), whole);
    return listDocumentResponse(context, output, { head, member: 'items', count, itemAt, bytesAt });
  }
  const type = { kind: definition.names.kind, apiVersion: apiVersionOf(definition) };
  const head = { kind: definition.names.listKind, apiVersion: type.apiVersion, metadata };
  const whole = () => ({ ...head, items: objects.map((object) => store.read(object)) });
  if (isProtobuf(output)) return joinListInProtobuf(head, objects, (object) => protobufOf(context, store, object), whole);
  if (output.mediaType.name !== 'application/json' || output.pretty || wantsPretty(context.request)) {
    const itemAt = (index: number) => parseItem(store.bytes(objectAt(index)), definition);
    const writtenAt = (index: number, notation: ItemNotation) =>
      store.largeObjects.writeItem(store.bytes(objectAt(index)), notation, context);
    return listDocumentResponse(context, output, { head, member: 'items', count, itemAt, bytesAt, writtenAt });
  }
  const readItem = createItemReader(type, definition);
  return joinList(head, objects, (object) => readItem(store.bytes(object)), whole);
}

/** Made elsewhere where it would take long, and kept as if it had been made here. */
async function protobufOf(context: RequestContext, store: Store, object: CachedObject): Promise<Uint8Array> {
  if (!store.largeObjects.isLargeText(store.bytes(object).length) || store.hasProtobuf(object)) return store.protobuf(object);
  const bytes = await store.largeObjects.encode(store.bytes(object), 'application/vnd.kubernetes.protobuf', context);
  return store.keepProtobuf(object, bytes);
}

function missing(index: number): never {
  throw new RangeError(`the list has no object ${index}`);
}

/** Reads the page that a list request asks for, from memory, at the revision that its options demand. */
export async function readPage(context: RequestContext, store: Store): Promise<Page> {
  const selection = parseSelection(context, store);
  try {
    const page = await pageOf(context, store, selection);
    await store.prepare?.(page.objects, context.signal);
    const { matchesConverted } = selection;
    return matchesConverted ? { ...page, objects: page.objects.filter(matchesConverted) } : page;
  } catch (error) {
    if (error instanceof StorageError && error.reason === 'compacted') throw expired(context);
    throw interpretStorageError(error, store.definition);
  }
}

async function pageOf(context: RequestContext, store: Store, selection: Selection): Promise<Page> {
  const { cache } = store;
  const { resourceVersion, match, limit, start } = parseListOptions(context, false);
  const reachNewest = () => storeLatency(annotating(context), context.clock, store.reachNewest(context.signal));
  let revision: number | undefined;
  let after: string | undefined;
  if (start !== undefined) {
    after = start.after;
    if (start.revision < 0) revision = await reachNewest();
    else revision = start.revision;
  } else if (resourceVersion === undefined) revision = await reachNewest();
  else if (resourceVersion > 0) {
    await reachRevision(cache, resourceVersion, context.signal);
    if (match === 'Exact' || (match === '' && limit > 0)) revision = resourceVersion;
  }
  if (selection.singleKey !== undefined && revision === undefined && start === undefined)
    return singlePage(store, selection, selection.singleKey);
  const batches = await store.readBatches({
    keyPrefix: selection.keyPrefix,
    ...(revision === undefined ? {} : { revision }),
    ...(after === undefined ? {} : { after }),
  });
  return takePage(convertedWith(context, store, selection, batches), selection, resourceVersion === 0 && start === undefined ? 0 : limit);
}

/** A selector that names its object needs no search. */
function singlePage({ cache }: Store, selection: Selection, key: string): Page {
  const resourceVersion = String(cache.revision());
  const object = cache.get(key);
  return { objects: object && selection.matches(object) ? [object] : [], metadata: { resourceVersion } };
}

/** Batches whose objects can be selected by fields that they have only after their conversion. */
function convertedWith({ signal }: RequestContext, { prepare }: Store, { matches, matchesConverted }: Selection, found: Batches): Batches {
  if (!prepare || !matchesConverted) return found;
  const convert = async function* () {
    for await (const batch of found.batches) {
      await prepare(batch.filter(matches), signal);
      yield batch;
    }
  };
  return { ...found, batches: convert() };
}

async function takePage({ revision, count, batches }: Batches, selection: Selection, limit: number): Promise<Page> {
  const objects: CachedObject[] = [];
  const resourceVersion = String(revision);
  const turns = createTurns();
  let seen = 0;
  let last = '';
  for await (const batch of batches) {
    for (const object of batch) {
      if (turns.isOver(selection.cost)) await turns.next();
      if (limit > 0 && objects.length === limit) {
        const metadata: ListMetadata = { resourceVersion, continue: formatContinueToken({ revision, after: last }) };
        // the number of remaining objects is only known without a selector
        if (selection.matchesEverything) metadata.remainingItemCount = count - seen;
        return { objects, metadata };
      }
      seen++;
      last = relativeKey(object);
      if (selection.matches(object) && (selection.matchesConverted?.(object) ?? true)) objects.push(object);
    }
  }
  return { objects, metadata: { resourceVersion } };
}

function relativeKey({ namespace, name }: CachedObject): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** The 410 with a continue token for the newest state, for clients that accept an inconsistent list. */
function expired(context: RequestContext): StatusError {
  const token = context.query.get('continue');
  if (!token) return resourceExpired('The resourceVersion for the provided list is too old.');
  const { after } = parseContinueToken(token);
  const { status } = resourceExpired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  return new StatusError({ ...status, metadata: { ...status.metadata, continue: formatContinueToken({ revision: -1, after }) } });
}
