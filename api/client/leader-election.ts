import { type Clock, sleep } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import { hasReason } from '../meta/status.ts';
import { formatMicroTime } from '../meta/time.ts';
import { leases } from '../resources/coordination/v1/lease.ts';
import type { Lease } from '../types/coordination-v1.ts';
import type { Client } from './client.ts';
import { ignoreNotFound } from './ignore-not-found.ts';

interface LeaderElectionSettings {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Unique among the candidates. */
  readonly identity: string;
  /** Defaults 15, 10 and 2 s, as those of upstream's components. */
  readonly leaseDurationSeconds?: number;
  readonly renewDeadlineSeconds?: number;
  readonly retryPeriodSeconds?: number;
  /** Gives up the candidacy, and the lease if it is held. */
  readonly signal: AbortSignal;
  /** Runs while this candidate leads; its signal is aborted when leadership ends. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
}

/**
 * Waits for the Lease, leads while it can be renewed, and returns when leadership was lost, `lead` has returned or the
 * signal is aborted. Others' leases are judged by how long *we* saw them unchanged, so that clocks need not agree.
 */
export async function runLeaderElection(settings: LeaderElectionSettings): Promise<void> {
  const { clock, signal, random, logger } = settings;
  const retryMs = (settings.retryPeriodSeconds ?? 2) * 1000;
  const deadlineMs = (settings.renewDeadlineSeconds ?? 10) * 1000;
  const candidate = new Candidate(settings);
  const pause = (ms: number, until: AbortSignal) => sleep(clock, ms, until).catch(() => undefined);

  // From before the call that took the lease: others count from when they saw the result.
  let heldSinceMs = clock.monotonicMs();
  while (!signal.aborted && !(await candidate.tryHold(deadlineMs, signal))) {
    await pause(retryMs * (1 + 1.2 * random.next()), signal);
    heldSinceMs = clock.monotonicMs();
  }
  if (signal.aborted) return;
  logger.info('became the leader', { lease: settings.lease.name });
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const renewing = (async () => {
    let renewedMs = heldSinceMs;
    for (;;) {
      await pause(Math.min(retryMs, renewedMs + deadlineMs - clock.monotonicMs()), stop.signal);
      if (stop.signal.aborted) return;
      const startedMs = clock.monotonicMs();
      if (await candidate.tryHold(renewedMs + deadlineMs - startedMs, stop.signal)) renewedMs = startedMs;
      else if (clock.monotonicMs() - renewedMs >= deadlineMs) {
        logger.error('lost the lease', { lease: settings.lease.name });
        return stop.abort(new Error('the lease was lost'));
      }
    }
  })();
  try {
    await settings.lead(stop.signal);
  } finally {
    stop.abort();
    await renewing;
    signal.removeEventListener('abort', onAbort);
    await candidate.release(deadlineMs);
  }
}

class Candidate {
  readonly #settings: LeaderElectionSettings;
  #observed: { readonly record: string; readonly atMs: number } | undefined;

  constructor(settings: LeaderElectionSettings) {
    this.#settings = settings;
  }

  /** Tries once to take or renew the lease. Ends within `limitMs`, whether or not the server answers. */
  tryHold(limitMs: number, until: AbortSignal): Promise<boolean> {
    return this.#bounded(limitMs, until, (signal) => this.#hold(signal));
  }

  /** Gives the lease up, so that another candidate can take it at once, if the server answers in time. */
  async release(limitMs: number): Promise<void> {
    await this.#bounded(limitMs, undefined, (signal) => this.#release(signal));
  }

  /** Answers false where the work is not done in time or the signal is aborted; its calls are cut off then. */
  async #bounded(limitMs: number, until: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<boolean>): Promise<boolean> {
    const limit = new AbortController();
    const ended = Promise.withResolvers<false>();
    const end = () => {
      limit.abort(new Error('no answer before the deadline of the lease'));
      ended.resolve(false);
    };
    const timer = this.#settings.clock.setTimer(Math.max(0, limitMs), end, { background: true });
    until?.addEventListener('abort', end, { once: true });
    try {
      return await Promise.race([work(limit.signal), ended.promise]);
    } finally {
      timer.cancel();
      until?.removeEventListener('abort', end);
    }
  }

  async #hold(signal: AbortSignal): Promise<boolean> {
    const { client, clock, lease: key, identity, logger } = this.#settings;
    const durationSeconds = this.#settings.leaseDurationSeconds ?? 15;
    try {
      const present = await ignoreNotFound(client(leases).get(key, { signal }));
      const now = formatMicroTime(clock.nowMs());
      const spec = { holderIdentity: identity, leaseDurationSeconds: durationSeconds, acquireTime: now, renewTime: now };
      if (present === undefined) {
        await client(leases).create({ metadata: { ...key }, spec: { ...spec, leaseTransitions: 0 } }, { signal });
        return true;
      }
      const holder = present.spec?.holderIdentity ?? '';
      if (holder !== '' && holder !== identity && !this.#isExpired(present, durationSeconds)) return false;
      const isOurs = holder === identity;
      const transitions = (present.spec?.leaseTransitions ?? 0) + (isOurs ? 0 : 1);
      const acquireTime = isOurs ? (present.spec?.acquireTime ?? now) : now;
      await client(leases).update(
        { ...present, spec: { ...present.spec, ...spec, acquireTime, leaseTransitions: transitions } },
        { signal },
      );
      return true;
    } catch (error) {
      if (!hasReason(error, 'Conflict') && !hasReason(error, 'AlreadyExists')) {
        logger.warn('the lease could not be taken or renewed', { lease: key.name, error });
      }
      return false;
    }
  }

  async #release(signal: AbortSignal): Promise<boolean> {
    const { client, clock, lease: key, identity, logger } = this.#settings;
    try {
      const present = await ignoreNotFound(client(leases).get(key, { signal }));
      if (present?.spec?.holderIdentity !== identity) return false;
      const now = formatMicroTime(clock.nowMs());
      const spec = { ...present.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
      await client(leases).update({ ...present, spec }, { signal });
      return true;
    } catch (error) {
      logger.debug('the lease was not given up', { lease: key.name, error });
      return false;
    }
  }

  #isExpired(lease: Lease, durationSeconds: number): boolean {
    const nowMs = this.#settings.clock.monotonicMs();
    const record = JSON.stringify(lease.spec);
    if (this.#observed?.record !== record) this.#observed = { record, atMs: nowMs };
    return nowMs - this.#observed.atMs >= durationSeconds * 1000;
  }
}
