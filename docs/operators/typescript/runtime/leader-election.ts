import { type CoordinationV1Api, type V1Lease, V1MicroTime } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, ifFound, messageOf } from './api-error.ts';
import { log } from './log.ts';

interface Election {
  readonly leases: CoordinationV1Api;
  readonly namespace: string;
  readonly name: string;
  /** The name of this candidate, different from all others: that of the Pod. */
  readonly identity: string;
  /** How long a leader that no longer renews its lease is waited for. */
  readonly leaseSeconds: number;
  /** Aborted when this candidate is to stop. */
  readonly signal: AbortSignal;
}

/** The lease as it was seen last, and when it was seen to change, by this machine's own clock. */
interface Observed {
  version: string;
  atMs: number;
}

/**
 * Waits until this candidate is the leader and then runs `lead`, whose signal is aborted when it must stop. Resolves after a stop,
 * when the lease was given back; throws when the lease was lost, after which the process has to end.
 */
export async function leadOnce(election: Election, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const { leaseSeconds, signal, identity } = election;
  const observed: Observed = { version: '', atMs: 0 };
  const leaseMs = leaseSeconds * 1000;
  // A leader without answers gives up well before another candidate may take the lease.
  const deadlineMs = (leaseMs * 2) / 3;
  const retryMs = leaseMs / 7;
  let renewedAtMs = performance.now();
  while (!(await tryToHold(election, observed, deadlineMs))) {
    if (!(await pause(retryMs, signal))) return;
    renewedAtMs = performance.now();
  }
  log('leading', { identity });
  const leading = new AbortController();
  const work = lead(leading.signal);
  // A failure of the work ends the waiting below; it is thrown where the work is awaited.
  work.catch(() => leading.abort());
  const either = AbortSignal.any([signal, leading.signal]);
  let isLost = false;
  while (!isLost && (await pause(retryMs, either))) {
    const sentAtMs = performance.now();
    if (await tryToHold(election, observed, renewedAtMs + deadlineMs - sentAtMs)) renewedAtMs = sentAtMs;
    else isLost = performance.now() > renewedAtMs + deadlineMs;
  }
  leading.abort();
  if (isLost) throw new Error(`the lease ${election.name} was lost`);
  await work;
  await release(election);
}

/** Creates, takes over or renews the lease. Whether this candidate has it now; no answer in time means that it has not. */
async function tryToHold(election: Election, observed: Observed, withinMs: number): Promise<boolean> {
  try {
    return await Promise.race([hold(election, observed), tooLate(withinMs)]);
  } catch (error) {
    if (codeOf(error) !== 409) log('the lease could not be had', { error: messageOf(error) });
    return false;
  }
}

async function hold({ leases, namespace, name, identity, leaseSeconds }: Election, observed: Observed): Promise<boolean> {
  const lease = await ifFound(leases.readNamespacedLease({ namespace, name }));
  const now = new V1MicroTime();
  const spec = { holderIdentity: identity, leaseDurationSeconds: leaseSeconds, renewTime: now };
  if (!lease) {
    const body = { metadata: { namespace, name }, spec: { ...spec, acquireTime: now, leaseTransitions: 0 } };
    await leases.createNamespacedLease({ namespace, body });
    return true;
  }
  // The clocks of two machines differ, so the time in the lease is not believed: it has run out when it has not changed here.
  const version = lease.metadata?.resourceVersion ?? '';
  if (version !== observed.version) Object.assign(observed, { version, atMs: performance.now() });
  const isMine = lease.spec?.holderIdentity === identity;
  const durationMs = (lease.spec?.leaseDurationSeconds ?? leaseSeconds) * 1000;
  if (!isMine && lease.spec?.holderIdentity && performance.now() < observed.atMs + durationMs) return false;
  const transitions = (lease.spec?.leaseTransitions ?? 0) + (isMine ? 0 : 1);
  const body: V1Lease = {
    ...lease,
    spec: { ...lease.spec, ...spec, acquireTime: isMine ? (lease.spec?.acquireTime ?? now) : now, leaseTransitions: transitions },
  };
  // With the resourceVersion that was read: of two candidates one is answered 409.
  await leases.replaceNamespacedLease({ namespace, name, body });
  return true;
}

/** Gives the lease back, so that the next leader need not wait. A renewal that is still under way may come in between. */
async function release(election: Election, attempts = 3): Promise<void> {
  const { leases, namespace, name, identity } = election;
  try {
    const lease = await leases.readNamespacedLease({ namespace, name });
    if (lease.spec?.holderIdentity !== identity) return;
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: new V1MicroTime() };
    await leases.replaceNamespacedLease({ namespace, name, body: { ...lease, spec } });
    log('the lease was given back', { identity });
  } catch (error) {
    if (codeOf(error) === 409 && attempts > 1) return release(election, attempts - 1);
    log('the lease could not be given back', { error: messageOf(error) });
  }
}

/** Whether the time passed without a stop. */
const pause = (delayMs: number, signal: AbortSignal): Promise<boolean> => sleep(delayMs, true, { signal }).catch(() => false);

async function tooLate(delayMs: number): Promise<never> {
  await sleep(delayMs, undefined, { ref: false });
  throw new Error('no answer in time');
}
