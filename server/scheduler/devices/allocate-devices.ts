import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { CompileDeviceExpression, SelectableDevice } from '../../../api/semantics/devices/device-selectors.ts';
import { findUntoleratedTaint } from '../../../api/semantics/nodes/taints.ts';
import { deviceID } from '../../../api/semantics/devices/resource-claims.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import type { AllocationResult, DeviceSelector, ResourceClaim } from '../../../api/types/resource-v1.ts';
import { allocationResult, type Chosen } from './allocation-result.ts';
import { satisfiesConstraints } from './attribute-constraints.ts';
import type { DevicePool, PoolDevice, SliceIndex } from './device-pools.ts';
import type { Alternative, WantedDevices } from './device-requests.ts';

/** A claim without an allocation, with its requests. */
export interface WaitingClaim {
  readonly claim: DeepReadonly<ResourceClaim>;
  readonly wanted: readonly WantedDevices[];
}

interface AllocateOptions {
  readonly claims: readonly WaitingClaim[];
  readonly slices: SliceIndex;
  /** Ids of devices that others have. */
  readonly taken: { has(id: string): boolean };
  readonly compile: CompileDeviceExpression;
}

/** A claim, a class or a pool is wrong in a way that no other node mends. The message is shown. */
export class AllocationError extends Error {}

/** There are too many ways to be tried. The message is shown. */
export class AllocationTimeout extends Error {}

/** The maximum number of devices of a claim. */
const maxResults = 32;
/** The most devices that are tried for one node, about 10 ms. */
const maxTries = 20_000;
/** The most expressions whose results are kept for one device. */
const maxAnswers = 64;

export interface Allocator {
  /**
   * Allocates devices that the node can reach for all claims, one result per claim; undefined if that is not possible. Takes the first
   * solution: alternatives in the order of the claim, devices in the order of their pools. Throws AllocationError, AllocationTimeout.
   */
  allocate(node: DeepReadonly<Node>): AllocationResult[] | undefined;
}

/** Makes an allocator for one state of the cluster. Which device matches which request is found once for all nodes. Pure. */
export function createAllocator(options: AllocateOptions): Allocator {
  const suits: Suitability = new Map();
  return { allocate: (node) => new Search(options, options.slices.poolsOf(node), suits).run() };
}

/** Alternative -> device -> whether it may serve it. */
type Suitability = Map<Alternative, Map<PoolDevice['device'], boolean>>;

class Search {
  readonly #options: AllocateOptions;
  readonly #pools: readonly DevicePool[];
  /** Chosen so far, by claim. */
  readonly #chosen: Chosen[][];
  readonly #alternatives: Alternative[][];
  readonly #inUse = new Set<string>();
  readonly #candidates = new Map<Alternative, readonly PoolDevice[]>();
  readonly #suits: Suitability;
  #tries = 0;

  constructor(options: AllocateOptions, pools: readonly DevicePool[], suits: Suitability) {
    this.#options = options;
    this.#pools = pools;
    this.#suits = suits;
    this.#chosen = options.claims.map(() => []);
    this.#alternatives = options.claims.map(() => []);
  }

  run(): AllocationResult[] | undefined {
    if (!this.#serveRequest(0, 0)) return undefined;
    return this.#options.claims.map(({ claim }, index) =>
      allocationResult(claim, this.#alternatives[index] ?? [], this.#chosen[index] ?? []),
    );
  }

  #serveRequest(claimIndex: number, requestIndex: number): boolean {
    const waiting = this.#options.claims[claimIndex];
    if (waiting === undefined) return true;
    const request = waiting.wanted[requestIndex];
    if (request === undefined) return this.#serveRequest(claimIndex + 1, 0);
    const alternatives = this.#alternatives[claimIndex] ?? [];
    for (const alternative of request.alternatives) {
      const candidates = this.#candidatesFor(waiting, alternative);
      const count = alternative.wantsAll ? candidates.length : alternative.count;
      if (count === 0 || candidates.length < count || (this.#chosen[claimIndex]?.length ?? 0) + count > maxResults) continue;
      alternatives.push(alternative);
      const isServed = this.#take(
        { claimIndex, alternative, candidates, next: () => this.#serveRequest(claimIndex, requestIndex + 1) },
        count,
        0,
      );
      if (isServed) return true;
      alternatives.pop();
    }
    return false;
  }

  /** The devices of one request are taken in the order of the candidates, since their order within the request has no effect. */
  #take(task: Task, missing: number, from: number): boolean {
    if (missing === 0) return task.next();
    const { claimIndex, alternative, candidates } = task;
    const chosen = this.#chosen[claimIndex] ?? [];
    const constraints = this.#options.claims[claimIndex]?.claim.spec.devices?.constraints ?? [];
    for (let index = from; index <= candidates.length - missing; index++) {
      const found = candidates[index];
      if (found === undefined) break;
      if (++this.#tries > maxTries) throw new AllocationTimeout('timed out trying to allocate devices');
      const id = idOf(found);
      const isFree = alternative.adminAccess || !(this.#options.taken.has(id) || this.#inUse.has(id));
      const next: Chosen = { request: alternative.name, found, alternative };
      if (isFree && satisfiesConstraints(constraints, chosen, next)) {
        chosen.push(next);
        if (!alternative.adminAccess) this.#inUse.add(id);
        if (this.#take(task, missing - 1, index + 1)) return true;
        chosen.pop();
        if (!alternative.adminAccess) this.#inUse.delete(id);
      }
      // All devices are requested, so without this one there is no solution.
      if (alternative.wantsAll) return false;
    }
    return false;
  }

  #candidatesFor({ claim }: WaitingClaim, alternative: Alternative): readonly PoolDevice[] {
    let found = this.#candidates.get(alternative);
    if (found === undefined) {
      found = this.#pools.flatMap((pool) => this.#candidatesOf(pool, claim, alternative));
      this.#candidates.set(alternative, found);
    }
    return found;
  }

  #candidatesOf(pool: DevicePool, claim: DeepReadonly<ResourceClaim>, alternative: Alternative): PoolDevice[] {
    const claimName = `${claim.metadata.namespace}/${claim.metadata.name}`;
    if (alternative.wantsAll && (pool.isIncomplete || pool.problem !== undefined)) {
      const state = pool.isIncomplete ? 'being updated' : 'invalid';
      const shown = `${pool.driver}/${pool.pool}`;
      throw new AllocationError(
        `claim ${claimName}, request ${alternative.name}: asks for all devices, but resource pool ${shown} is currently ${state}`,
      );
    }
    // A device that is missing from an incomplete pool may be needed for the right choice.
    if (pool.isIncomplete) return [];
    const found = pool.devices.filter((one) => this.#isSuitable(one, claimName, alternative));
    if (found.length > 0 && pool.problem !== undefined) throw new AllocationError(`pool ${pool.pool} is invalid: ${pool.problem}`);
    return found;
  }

  #isSuitable(one: PoolDevice, claimName: string, alternative: Alternative): boolean {
    let known = this.#suits.get(alternative);
    if (known === undefined) this.#suits.set(alternative, (known = new Map()));
    let answer = known.get(one.device);
    if (answer === undefined) {
      const { compile } = this.#options;
      const { metadata, spec } = alternative.deviceClass;
      answer =
        isUsable(one, alternative) &&
        matchesAll(one, spec.selectors ?? [], `class ${metadata.name}`, compile) &&
        matchesAll(one, alternative.selectors, `claim ${claimName}`, compile);
      known.set(one.device, answer);
    }
    return answer;
  }
}

interface Task {
  readonly claimIndex: number;
  readonly alternative: Alternative;
  readonly candidates: readonly PoolDevice[];
  readonly next: () => boolean;
}

/** A usable device. Resources that devices share, and conditions before their use, are not checked here. */
function isUsable({ device }: PoolDevice, { tolerations }: Alternative): boolean {
  if ((device.consumesCounters ?? []).length > 0 || (device.bindingConditions ?? []).length > 0) return false;
  return findUntoleratedTaint(device.taints, tolerations, ['NoSchedule', 'NoExecute']) === undefined;
}

/** Past checks of a device: devices and expressions are the same for many claims. */
interface Asked {
  readonly device: SelectableDevice;
  /** Expression -> whether it matches. */
  readonly answers: Map<string, boolean>;
}
const known = new WeakMap<object, Asked>();

function matchesAll(
  { driver, device }: PoolDevice,
  selectors: readonly DeepReadonly<DeviceSelector>[],
  owner: string,
  compile: CompileDeviceExpression,
): boolean {
  if (selectors.length === 0) return true;
  let asked = known.get(device);
  if (asked === undefined) known.set(device, (asked = { device: seenBySelectors(driver, device), answers: new Map() }));
  const { answers, device: seen } = asked;
  for (const [index, { cel }] of selectors.entries()) {
    const at = `${owner}: selector #${index}: CEL`;
    if (cel === undefined) throw new AllocationError(`${at} expression empty (unsupported selector type?)`);
    let answer = answers.get(cel.expression);
    if (answer === undefined) {
      const expression = attempt(() => compile(cel.expression), `${at} compile error`);
      answer = attempt(() => expression.matches(seen), `${at} runtime error`);
      if (answers.size < maxAnswers) answers.set(cel.expression, answer);
    }
    if (!answer) return false;
  }
  return true;
}

function seenBySelectors(driver: string, device: PoolDevice['device']): SelectableDevice {
  const { attributes, capacity, allowMultipleAllocations } = device;
  return {
    driver,
    ...(attributes === undefined ? {} : { attributes }),
    ...(capacity === undefined ? {} : { capacity }),
    ...(allowMultipleAllocations === undefined ? {} : { allowMultipleAllocations }),
  };
}

function attempt<T>(work: () => T, what: string): T {
  try {
    return work();
  } catch (error) {
    throw new AllocationError(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function idOf({ driver, pool, device }: PoolDevice): string {
  return deviceID({ driver, pool, device: device.name });
}
