import { ProtobufReader, ProtobufWriter } from '../../../api/serialization/protobuf/wire.ts';
import type { CommitResult, Condition, Operation, RangeResult, StorageEvent, StoredEntry } from '../storage.ts';

/**
 * The messages of etcd's API for writes and watch events, converted to and from the types of Storage. A general codec would cost more than
 * the rest of a write. Field numbers are those of etcd's rpc.proto and kv.proto.
 */
export const kvMethods = { range: '/etcdserverpb.KV/Range', txn: '/etcdserverpb.KV/Txn', watch: '/etcdserverpb.Watch/Watch' } as const;

export interface EtcdRange {
  readonly key: string;
  readonly rangeEnd?: string;
  readonly limit?: number;
  readonly revision?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}

/** A put names its lease. */
export type EtcdOperation = { readonly operation: Operation; readonly lease?: string };

const target = { mod: 2 } as const;

export function encodeRange({ key, rangeEnd, limit, revision, keysOnly, countOnly }: EtcdRange): Uint8Array {
  const message = new ProtobufWriter(undefined, 128);
  message.text(1, key);
  if (rangeEnd !== undefined) message.text(2, rangeEnd);
  if (limit) message.varint(3, limit);
  if (revision) message.varint(4, revision);
  if (keysOnly) message.varint(8, 1);
  if (countOnly) message.varint(9, 1);
  return message.finishShortLived();
}

/** If all conditions hold the operations are done, else the conditioned keys are read. */
export function encodeTxn(conditions: readonly Condition[], operations: readonly EtcdOperation[]): Uint8Array {
  let size = 64;
  for (const { key } of conditions) size += 2 * key.length + 40;
  for (const { operation } of operations) size += operation.key.length + (operation.type === 'put' ? operation.value.length : 0) + 60;
  const message = new ProtobufWriter(undefined, size);
  for (const { key, modRevision } of conditions) {
    const compare = message.begin(1);
    message.varint(2, target.mod);
    message.text(3, key);
    message.varint(6, modRevision);
    message.end(compare);
  }
  for (const { operation, lease } of operations) {
    const success = message.begin(2);
    const request = message.begin(operation.type === 'put' ? 2 : 3);
    message.text(1, operation.key);
    if (operation.type === 'put') message.bytes(2, operation.value);
    if (lease !== undefined) message.varint(3, BigInt(lease));
    message.end(request);
    message.end(success);
  }
  for (const { key } of conditions) {
    const failure = message.begin(3);
    const range = message.begin(1);
    message.text(1, key);
    message.end(range);
    message.end(failure);
  }
  return message.finishShortLived();
}

interface EtcdWatch {
  readonly key: string;
  readonly rangeEnd: string;
  readonly startRevision: number;
  /** Whether events contain the previous value. */
  readonly withPrevious: boolean;
}

/** Encodes a watch that reports progress by itself and splits large messages. */
export function encodeWatchCreate(watch: EtcdWatch): Uint8Array {
  const message = new ProtobufWriter(undefined, 128);
  const create = message.begin(1);
  message.text(1, watch.key);
  message.text(2, watch.rangeEnd);
  message.varint(3, watch.startRevision);
  message.varint(4, 1); // progress_notify
  if (watch.withPrevious) message.varint(6, 1); // prev_kv
  message.varint(8, 1); // fragment
  message.end(create);
  return message.finishShortLived();
}

export function encodeProgressRequest(): Uint8Array {
  const message = new ProtobufWriter(undefined, 128);
  message.end(message.begin(3));
  return message.finishShortLived();
}

/** Calls `take` for every field; a field that it does not read is skipped. */
function eachField(reader: ProtobufReader, take: (number: number) => boolean): void {
  while (!reader.isAtEnd) {
    const { number, type } = reader.tag();
    if (!take(number)) reader.skip(type);
  }
}

function readHeader(reader: ProtobufReader): number {
  let revision = 0;
  eachField(reader, (number) => {
    if (number !== 3) return false;
    revision = Number(reader.integer());
    return true;
  });
  return revision;
}

function readKeyValue(reader: ProtobufReader): StoredEntry {
  let key = '';
  let createRevision = 0;
  let modRevision = 0;
  let value: Uint8Array = noBytes;
  eachField(reader, (number) => {
    if (number === 1) key = reader.text();
    else if (number === 2) createRevision = Number(reader.integer());
    else if (number === 3) modRevision = Number(reader.integer());
    else if (number === 5) value = reader.bytes();
    else return false;
    return true;
  });
  return { key, value, createRevision, modRevision };
}

const noBytes: Uint8Array = new Uint8Array();

/** `revision` is that of the store. */
export function decodeRange(bytes: Uint8Array): RangeResult {
  return readRange(new ProtobufReader(bytes));
}

function readRange(reader: ProtobufReader): RangeResult {
  const entries: StoredEntry[] = [];
  let revision = 0;
  let more = false;
  let count = 0;
  eachField(reader, (number) => {
    if (number === 1) revision = readHeader(reader.message());
    else if (number === 2) entries.push(readKeyValue(reader.message()));
    else if (number === 3) more = reader.integer() !== 0;
    else if (number === 4) count = Number(reader.integer());
    else return false;
    return true;
  });
  return { entries, more, count, revision };
}

export function decodeTxn(bytes: Uint8Array): CommitResult {
  const reader = new ProtobufReader(bytes);
  let revision = 0;
  let succeeded = false;
  const current: (StoredEntry | undefined)[] = [];
  eachField(reader, (number) => {
    if (number === 1) revision = readHeader(reader.message());
    else if (number === 2) succeeded = reader.integer() !== 0;
    else if (number === 3 && !succeeded) current.push(readFoundKey(reader.message()));
    else return false;
    return true;
  });
  return succeeded ? { succeeded, revision } : { succeeded, revision, current };
}

/** Reads a ResponseOp that holds the result of a range of one key. */
function readFoundKey(reader: ProtobufReader): StoredEntry | undefined {
  const found: StoredEntry[] = [];
  eachField(reader, (number) => {
    if (number !== 1) return false;
    found.push(...readRange(reader.message()).entries);
    return true;
  });
  return found[0];
}

export interface EtcdWatchResponse {
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  /** Whether more events of the same revision follow. */
  readonly fragment: boolean;
  /** The revision of the store. */
  readonly revision: number;
  readonly events: readonly StorageEvent[];
}

export function decodeWatchResponse(bytes: Uint8Array): EtcdWatchResponse {
  const reader = new ProtobufReader(bytes);
  const response = { created: false, canceled: false, compactRevision: 0, cancelReason: '', fragment: false, revision: 0 };
  const events: StorageEvent[] = [];
  eachField(reader, (number) => {
    if (number === 1) response.revision = readHeader(reader.message());
    else if (number === 3) response.created = reader.integer() !== 0;
    else if (number === 4) response.canceled = reader.integer() !== 0;
    else if (number === 5) response.compactRevision = Number(reader.integer());
    else if (number === 6) response.cancelReason = reader.text();
    else if (number === 7) response.fragment = reader.integer() !== 0;
    else if (number === 11) events.push(readEvent(reader.message()));
    else return false;
    return true;
  });
  return { ...response, events };
}

function readEvent(reader: ProtobufReader): StorageEvent {
  const event: { isDelete: boolean; entry?: StoredEntry; previous?: StoredEntry } = { isDelete: false };
  eachField(reader, (number) => {
    if (number === 1) event.isDelete = reader.integer() === 1;
    else if (number === 2) event.entry = readKeyValue(reader.message());
    else if (number === 3) event.previous = readKeyValue(reader.message());
    else return false;
    return true;
  });
  const { entry, previous } = event;
  const { key = '', modRevision: revision = 0 } = entry ?? {};
  return event.isDelete ? { type: 'delete', key, revision, previous } : { type: 'put', key, revision, entry, previous };
}
