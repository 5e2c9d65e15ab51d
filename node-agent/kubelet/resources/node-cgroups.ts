import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { quantityMilliValue } from '../../../api/base/quantity/arithmetic.ts';
import { podRequests } from '../../../api/semantics/pods/pod-resources.ts';
import { podQOSClass } from '../../../api/semantics/pods/qos-class.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { CgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import { type CgroupLimits, sharesOfWeight } from '../../linux/cgroups/cgroup-values.ts';
import type { Cgroups } from '../../linux/cgroups/cgroups.ts';
import type { ReservedCgroup } from './node-allocatable.ts';
import { cpuShares, maxShares, podCgroupName } from './pod-resources.ts';

/** The Pods whose requests count at present. */
export interface CountedPods {
  /** The Pods as the node runs them. */
  readonly pods: readonly DeepReadonly<Pod>[];
  /** Whether these are all: false while Pods of an earlier start are yet to be found again. */
  readonly isComplete: boolean;
}

interface NodeCgroupsDependencies {
  readonly cgroups: Pick<Cgroups, 'ensure' | 'exists' | 'widen' | 'limits' | 'children'>;
  readonly names: CgroupNames;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Limits of all Pods together. */
  readonly podsLimits: CgroupLimits;
  readonly reserved: readonly ReservedCgroup[];
  readonly counted: () => CountedPods;
  readonly event: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

/** The cgroups above those of Pods: of all Pods, of each QoS class, and of the reserved resources. */
export interface NodeCgroups {
  /** Makes the cgroups of Pods and limits those of the reservations. Throws where a reservation cannot be enforced. */
  start(): Promise<void>;
  /** Sets the CPU weights of the QoS classes by the present requests of their Pods. */
  weigh(): Promise<void>;
  /** Limits all Pods together, as soon as that succeeds, and puts the weights right that others have changed. */
  run(signal: AbortSignal): Promise<void>;
}

const repeatMs = 60_000;
const failedReason = 'FailedNodeAllocatableEnforcement';
const successReason = 'NodeAllocatableEnforced';

export function createNodeCgroups(dependencies: NodeCgroupsDependencies): NodeCgroups {
  const { cgroups, names, clock, logger, podsLimits, reserved, counted, event } = dependencies;
  let applied: string | undefined;
  let turn: Promise<void> = Promise.resolve();
  const apply = async () => {
    const { pods, isComplete } = counted();
    const shares = planClassShares(pods, await foreignShares(dependencies, pods));
    const plan = JSON.stringify([shares, isComplete]);
    if (plan === applied) return;
    for (const podClass of ['Burstable', 'BestEffort'] as const) {
      const limits = { cpuShares: shares[podClass] };
      // Running Pods must not lose their weight while the agent gets to know them again.
      if (isComplete) await cgroups.ensure(names.ofClass(podClass), limits);
      else await cgroups.widen(names.ofClass(podClass), limits);
    }
    applied = plan;
  };
  /** The next look, which has not begun: it sees whatever has happened until then. */
  let next: Promise<void> | undefined;
  const weigh = () => {
    next ??= turn
      .then(() => {
        next = undefined;
        return apply();
      })
      .catch((error: unknown) => {
        applied = undefined;
        logger.warn('the cgroups of the Pods of a class could not be weighed', { error });
      });
    turn = next;
    return next;
  };
  return {
    async start() {
      for (const name of [names.root, names.ofClass('Burstable'), names.ofClass('BestEffort')]) {
        const isNew = (await cgroups.limits(name)) === undefined;
        const { cpuShares: shares = 2 } = name === names.root ? podsLimits : {};
        await cgroups.ensure(name, isNew || name === names.root ? { cpuShares: shares } : {});
      }
      for (const one of reserved) await enforceReserved(dependencies, one);
    },
    weigh,
    async run(signal) {
      let isLimited = false;
      while (!signal.aborted) {
        if (!isLimited) {
          try {
            await cgroups.ensure(names.root, podsLimits);
            isLimited = true;
            event('Normal', successReason, 'Updated Node Allocatable limit across pods');
          } catch (error) {
            const problem = error instanceof Error ? error.message : String(error);
            event('Warning', failedReason, `Failed to update Node Allocatable Limits "${names.root}": ${problem}`);
          }
        }
        await sleep(clock, repeatMs, signal).catch(() => undefined); // aborted
        applied = undefined;
        if (!signal.aborted) await weigh();
      }
    },
  };
}

async function enforceReserved({ cgroups, event }: NodeCgroupsDependencies, { name, limits, title }: ReservedCgroup): Promise<void> {
  try {
    if (!(await cgroups.exists(name, limits))) throw new Error(`"${name}" cgroup does not exist`);
    await cgroups.ensure(name, limits);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const message = `Failed to enforce ${title.failed} Cgroup Limits on "${name}": ${problem}`;
    event('Warning', failedReason, message);
    throw new Error(message);
  }
  event('Normal', successReason, `Updated limits on ${title.updated} cgroup ${name}`);
}

/** The shares of Burstable Pods that belong to other nodes on this machine, or that this node does not know yet: they share cgroups. */
async function foreignShares({ cgroups, names }: NodeCgroupsDependencies, pods: readonly DeepReadonly<Pod>[]): Promise<number> {
  const known = new Set(pods.map((pod) => podCgroupName(names, pod)));
  const folder = names.ofClass('Burstable');
  const foreign = (await cgroups.children(folder)).map((child) => `${folder}/${child}`).filter((name) => !known.has(name));
  const present = await Promise.all(foreign.map((name) => cgroups.limits(name)));
  return present.reduce((sum, limits) => sum + (limits ? (limits.cpuShares ?? sharesOfWeight(limits.cpuWeight ?? 1)) : 0), 0);
}

/**
 * The CPU shares of the QoS classes: Burstable gets the sum of its Pods' requests and of those of other nodes in the same cgroup,
 * BestEffort the least possible. Guaranteed Pods have their own cgroups beside them.
 */
export function planClassShares(pods: readonly DeepReadonly<Pod>[], foreign = 0): Readonly<Record<'Burstable' | 'BestEffort', number>> {
  const requested = pods.filter((pod) => podQOSClass(pod) === 'Burstable').map(requestedCPU);
  const own = requested.reduce((sum, milliCPU) => sum + milliCPU, 0);
  return { Burstable: Math.min(maxShares, foreign + (own === 0 && foreign > 0 ? 0 : cpuShares(own))), BestEffort: cpuShares(0) };
}

/** In thousandths, by the spec alone: the status may show an earlier size. */
function requestedCPU(pod: DeepReadonly<Pod>): number {
  const { status: _status, ...present } = pod;
  const request = podRequests(present).get('cpu');
  return request ? quantityMilliValue(request) : 0;
}
