import type { Clock } from '../../../api/base/clock.ts';
import { sleep } from '../../../api/base/clock.ts';
import { StorageError } from '../storage.ts';
import type { EtcdMember } from './etcd-member.ts';
import { interpretEtcdError, wasNeverSent } from './interpret-etcd-error.ts';

type Request<T> = (member: EtcdMember, options: { readonly deadline: number }) => Promise<T>;

const retryDelayMs = 50;

/** The members of an etcd cluster. One of them is used until it fails. */
export class EtcdMembers {
  readonly #members: readonly EtcdMember[];
  readonly #clock: Clock;
  readonly #operationTimeoutMs: number;
  #current = 0;
  #isClosed = false;

  constructor(members: readonly EtcdMember[], dependencies: { readonly clock: Clock; readonly operationTimeoutMs: number }) {
    this.#members = members;
    this.#clock = dependencies.clock;
    this.#operationTimeoutMs = dependencies.operationTimeoutMs;
  }

  get current(): EtcdMember {
    const member = this.#members[this.#current];
    if (this.#isClosed || !member) throw new StorageError('closed', 'the storage has been closed');
    return member;
  }

  /** Called when the present member has failed. */
  leave(failed: EtcdMember): void {
    if (failed === this.#members[this.#current]) this.#current = (this.#current + 1) % this.#members.length;
  }

  /** Sends a request to one member after the other until one answers. Only for requests that may be repeated. */
  read<T>(request: Request<T>): Promise<T> {
    return this.#call(request, () => true, false);
  }

  /** Sends a request as read does, but again only if it has certainly not been sent. */
  write<T>(request: Request<T>): Promise<T> {
    return this.#call(request, wasNeverSent, true);
  }

  close(): void {
    this.#isClosed = true;
    for (const member of this.#members) member.close();
  }

  async #call<T>(request: Request<T>, mayRepeat: (error: StorageError) => boolean, isWrite: boolean): Promise<T> {
    const deadline = this.#clock.nowMs() + this.#operationTimeoutMs;
    for (;;) {
      const member = this.current;
      try {
        return await request(member, { deadline });
      } catch (cause) {
        if (this.#isClosed) throw new StorageError('closed', 'the storage has been closed', { cause, isOutcomeUnknown: isWrite });
        const error = interpretEtcdError(cause);
        if (error.reason === 'timeout' && isWrite) throw withUnknownOutcome(error);
        if (error.reason !== 'unavailable') throw error;
        this.leave(member);
        if (!mayRepeat(error)) throw isWrite ? withUnknownOutcome(error) : error;
        if (this.#clock.nowMs() + retryDelayMs >= deadline) throw error;
      }
      await sleep(this.#clock, retryDelayMs);
    }
  }
}

function withUnknownOutcome({ reason, message, cause }: StorageError): StorageError {
  return new StorageError(reason, message, { cause, isOutcomeUnknown: true });
}
