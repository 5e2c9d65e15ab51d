import type { Clock } from '../../../api/base/clock.ts';
import { sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { StorageEvent, WatchBatch, WatchOptions } from '../storage.ts';
import { StorageError } from '../storage.ts';
import { decodeWatchResponse, encodeProgressRequest, encodeWatchCreate, type EtcdWatchResponse } from './etcd-kv.ts';
import type { EtcdMember } from './etcd-member.ts';
import type { EtcdMembers } from './etcd-members.ts';
import type { GRPCStream } from './grpc-channel.ts';

const minRetryMs = 50;
const maxRetryMs = 2000;
const progressRetryMs = 50;

/** An open watch stream, as far as the demand for progress is concerned. */
interface Session {
  readonly stream: GRPCStream;
  delivered: number;
}

/**
 * Watches on etcd's raw stream, one stream for each. The client library's own watcher resumes from the revision in the
 * header of a response, which in a backlog is far ahead of the events delivered, and loses the rest; this one resumes from
 * what it has delivered.
 */
export class EtcdWatches {
  readonly #members: EtcdMembers;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sessions = new Set<Session>();
  readonly #closed = new AbortController();
  #mayAsk = true;
  #wanted = 0;
  #isAsking = false;

  constructor(dependencies: { members: EtcdMembers; clock: Clock; logger: Logger }) {
    this.#members = dependencies.members;
    this.#clock = dependencies.clock;
    this.#logger = dependencies.logger;
  }

  /**
   * Called when the store has reached a revision. Watches that are behind request progress from etcd until they have reached it: a revision
   * without changes of their keys would otherwise be reported only minutes later.
   */
  expect(revision: number): void {
    this.#wanted = Math.max(this.#wanted, revision);
    if (!this.#mayAsk) return;
    if (!this.#isAsking) this.#askForProgress();
  }

  /** Stops requesting progress: this etcd's version may report progress before it has sent all events. */
  neverAsk(): void {
    this.#mayAsk = false;
  }

  close(): void {
    this.#closed.abort();
  }

  async *watch(options: WatchOptions): AsyncGenerator<WatchBatch, undefined> {
    const signal = AbortSignal.any([options.signal, this.#closed.signal]);
    let { afterRevision } = options;
    let delayMs = minRetryMs;
    while (!signal.aborted) {
      const member = this.#members.current;
      try {
        for await (const batch of this.#follow(member, { ...options, afterRevision, signal })) {
          afterRevision = batch.revision;
          delayMs = minRetryMs;
          yield batch;
        }
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof StorageError && error.reason === 'compacted') throw error;
        this.#members.leave(member);
        this.#logger.warn('Lost a watch of etcd; resuming it', { error, start: options.start, afterRevision });
      }
      await sleep(this.#clock, delayMs, signal).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, maxRetryMs);
    }
    if (!options.signal.aborted) throw new StorageError('closed', 'the storage has been closed');
    return undefined;
  }

  async *#follow(member: EtcdMember, options: WatchOptions): AsyncGenerator<WatchBatch, undefined> {
    const { start, end, afterRevision, wantsPrevious: withPrevious = true, signal } = options;
    const stream = member.watch();
    const cancel = () => stream.cancel();
    signal.addEventListener('abort', cancel);
    const session: Session = { stream, delivered: afterRevision };
    try {
      if (signal.aborted) return undefined;
      stream.write(encodeWatchCreate({ key: start, rangeEnd: end, startRevision: afterRevision + 1, withPrevious }));
      this.#sessions.add(session);
      let events: readonly StorageEvent[] = [];
      for await (const message of stream) {
        const response = decodeWatchResponse(message);
        assertNotCanceled(response);
        if (response.created) {
          this.expect(this.#wanted);
          continue;
        }
        events = events.length === 0 ? response.events : events.concat(response.events);
        if (response.fragment) continue;
        // in a backlog the header's revision is ahead of the events; without events it tells up to where everything was delivered
        const revision = events.at(-1)?.revision ?? response.revision;
        const complete = events;
        events = [];
        if (revision <= session.delivered) continue;
        session.delivered = revision;
        yield { events: complete, revision };
      }
      throw new StorageError('unavailable', 'etcd: the watch stream has ended');
    } finally {
      this.#sessions.delete(session);
      signal.removeEventListener('abort', cancel);
      stream.cancel();
    }
  }

  #askForProgress(): void {
    this.#isAsking = false;
    for (const { stream, delivered } of this.#sessions) {
      if (delivered >= this.#wanted) continue;
      stream.write(encodeProgressRequest());
      this.#isAsking = true;
    }
    if (this.#isAsking) this.#clock.setTimer(progressRetryMs, () => this.#askForProgress(), { background: true });
  }
}

function assertNotCanceled({ canceled, compactRevision, cancelReason }: EtcdWatchResponse): void {
  if (!canceled) return;
  if (compactRevision > 0) throw new StorageError('compacted', 'etcd: required revision has been compacted', { revision: compactRevision });
  throw new StorageError('unavailable', `etcd: the watch was canceled: ${cancelReason}`);
}
