import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../../api/base/logger.ts';
import type { Random } from '../../../../api/base/random.ts';
import type { Client } from '../../../../api/client/client.ts';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import { keyOf, type ObjectKey, type UntypedObject } from '../../../../api/meta/object.ts';
import { internalError, invalid as invalidObject } from '../../../../api/meta/status-errors.ts';
import { endpoints } from '../../../../api/resources/core/v1/endpoints.ts';
import type { Service, ServiceSpec } from '../../../../api/types/core-v1.ts';
import { type FieldError, invalid } from '../../../../api/validation/field-error.ts';
import { FieldPath } from '../../../../api/validation/field-path.ts';
import type { HookOutcome, RegistryHooks } from '../hooks.ts';
import { AllocationError, type ClusterIPAllocator } from './cluster-ip-allocator.ts';
import { keepsPreference, planIPFamilies } from './ip-families.ts';
import type { NodePortRegistry } from './node-port-registry.ts';
import { type NodePortPlan, occupiedPorts, planNodePorts } from './node-ports.ts';

interface ServiceHooksDependencies {
  readonly client: Client;
  readonly random: Random;
  readonly logger: Logger;
  /** By family, that of the cluster first. */
  readonly allocators: ReadonlyMap<string, ClusterIPAllocator>;
  readonly nodePorts: NodePortRegistry;
}

const specPath = FieldPath.root.child('spec');

/** Allocates cluster addresses and node ports to Services before they are written, and releases those that are no longer needed. */
export function createServiceHooks(dependencies: ServiceHooksDependencies): RegistryHooks {
  return {
    async beginCreate(object, { dryRun }) {
      const service = object as unknown as Service;
      if (!service.spec) return undefined;
      return allocate(service, undefined, dryRun, dependencies);
    },
    async beginUpdate(object, oldObject, { dryRun }) {
      const service = object as unknown as Service;
      const old = oldObject as unknown as DeepReadonly<Service>;
      if (!service.spec || !old.spec) return undefined;
      return allocate(service, old, dryRun, dependencies);
    },
    afterDelete: (object) => releaseAll(object, dependencies),
  };
}

async function allocate(
  service: Service,
  old: DeepReadonly<Service> | undefined,
  dryRun: boolean,
  dependencies: ServiceHooksDependencies,
): Promise<HookOutcome> {
  const { allocators, nodePorts, random } = dependencies;
  const spec = service.spec ?? {};
  refuse(service, planIPFamilies(spec, old?.spec, [...allocators.keys()], specPath));
  const addresses = await allocateAddresses(service, old, dryRun, dependencies);
  let ports: NodePortPlan | undefined;
  try {
    if (hasPortsToDecide(service, old))
      ports = await nodePorts.update((taken) => planNodePorts(service, old, taken, random, dryRun), dryRun);
  } catch (error) {
    await releaseAddresses(addresses.allocated, dependencies);
    throw error;
  }
  if (ports) applyPorts(spec, ports);
  const { allocated: newPorts = [], released: oldPorts = [] } = ports ?? {};
  const release = async (freeAddresses: readonly string[], freePorts: readonly number[]) => {
    try {
      await Promise.all([releaseAddresses(freeAddresses, dependencies), releasePorts(freePorts, nodePorts)]);
    } catch (error) {
      // The result of the write stands; the next repair releases what is left.
      dependencies.logger.warn('addresses and ports could not be given back', { addresses: freeAddresses, ports: freePorts, error });
    }
  };
  return {
    commit: () => release(addresses.released, oldPorts),
    rollback: () => (dryRun ? undefined : release(addresses.allocated, newPorts)),
  };
}

function refuse({ metadata }: DeepReadonly<Service>, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject({ group: '', kind: 'Service' }, metadata.name ?? '', errors);
}

const needsAddress = (spec: DeepReadonly<ServiceSpec> | undefined) => spec !== undefined && spec.type !== 'ExternalName';
const isHeadless = (spec: DeepReadonly<ServiceSpec>) => spec.clusterIPs?.[0] === 'None';
const addressesOf = (spec: DeepReadonly<ServiceSpec> | undefined) =>
  spec && needsAddress(spec) && !isHeadless(spec) ? (spec.clusterIPs ?? []) : [];

interface AddressChange {
  readonly allocated: readonly string[];
  readonly released: readonly string[];
}

async function allocateAddresses(
  service: Service,
  old: DeepReadonly<Service> | undefined,
  dryRun: boolean,
  dependencies: ServiceHooksDependencies,
): Promise<AddressChange> {
  const spec = service.spec ?? {};
  const plan = planAddresses(spec, old?.spec);
  if (!('families' in plan)) return { allocated: [], released: plan.released };
  const clusterIPs = [...(spec.clusterIPs ?? [])];
  const allocated: string[] = [];
  try {
    for (const [index, family] of plan.families) {
      const requested = clusterIPs[index];
      const { address, isNew } = await allocateAddress(service, family, requested, dryRun, dependencies);
      clusterIPs[index] = requested ?? address;
      if (isNew) allocated.push(address);
    }
  } catch (error) {
    await releaseAddresses(allocated, dependencies);
    throw error;
  }
  const [first] = clusterIPs;
  if (first !== undefined) Object.assign(spec, { clusterIP: first, clusterIPs });
  return { allocated, released: [] };
}

/** The families, by their place in spec.ipFamilies, that need an address; or else the addresses that are not needed any more. */
type AddressPlan = { readonly families: readonly (readonly [number, string])[] } | { readonly released: readonly string[] };

function planAddresses(spec: DeepReadonly<ServiceSpec>, old: DeepReadonly<ServiceSpec> | undefined): AddressPlan {
  if (!needsAddress(spec)) return { released: addressesOf(old) };
  if (isHeadless(spec) || (old && keepsPreference(spec, old))) return { released: [] };
  const families = [...(spec.ipFamilies ?? []).entries()];
  // An allocated address stays; a request for another one is refused by validation.
  if (old === undefined || !needsAddress(old)) return { families };
  if (isHeadless(old)) return { released: [] };
  const before = old.ipFamilies?.length ?? 0;
  if (before === 1 && families.length === 2) return { families: families.slice(1) };
  return { released: before === 2 && families.length === 1 ? addressesOf(old).slice(1) : [] };
}

async function allocateAddress(
  service: Service,
  family: string,
  requested: string | undefined,
  dryRun: boolean,
  { allocators }: ServiceHooksDependencies,
) {
  const allocator = allocators.get(family);
  if (!allocator) throw internalError(`no allocator for addresses of family ${family}`);
  const key: ObjectKey = keyOf(service);
  try {
    return await (requested === undefined ? allocator.allocateNext(key, dryRun) : allocator.allocate(requested, key, dryRun));
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    if (requested === undefined) throw internalError(`failed to allocate a serviceIP: ${error.message}`);
    const message = `failed to allocate IP ${requested}: ${error.message}`;
    throw invalidObject({ group: '', kind: 'Service' }, key.name, [
      invalid(specPath.child('clusterIPs'), withPlaces(service.spec), message),
    ]);
  }
}

/** The addresses that were asked for, and empty places for those that were not. */
function withPlaces({ clusterIPs = [], ipFamilies = [] }: DeepReadonly<ServiceSpec> = {}): string[] {
  return [...clusterIPs, ...ipFamilies.slice(clusterIPs.length).map(() => '')];
}

function hasPortsToDecide(service: DeepReadonly<Service>, old: DeepReadonly<Service> | undefined): boolean {
  const isExposed = service.spec?.type === 'NodePort' || service.spec?.type === 'LoadBalancer';
  return isExposed || (old !== undefined && occupiedPorts(old).length > 0);
}

function applyPorts(spec: ServiceSpec, { ports, healthCheck }: NodePortPlan): void {
  for (const [index, port] of (spec.ports ?? []).entries()) {
    const nodePort = ports[index];
    if (nodePort === undefined) delete port.nodePort;
    else port.nodePort = nodePort;
  }
  if (healthCheck !== undefined) spec.healthCheckNodePort = healthCheck;
}

async function releaseAddresses(addresses: readonly string[], { allocators }: ServiceHooksDependencies): Promise<void> {
  for (const address of addresses) await allocators.get(address.includes(':') ? 'IPv6' : 'IPv4')?.release(address);
}

async function releasePorts(ports: readonly number[], nodePorts: NodePortRegistry): Promise<void> {
  if (ports.length === 0) return;
  await nodePorts.update((taken) => {
    for (const port of ports) taken.delete(port);
  }, false);
}

async function releaseAll(object: DeepReadonly<UntypedObject>, dependencies: ServiceHooksDependencies): Promise<void> {
  const service = object as unknown as DeepReadonly<Service>;
  const outcomes = await Promise.allSettled([
    releaseAddresses(addressesOf(service.spec), dependencies),
    releasePorts(occupiedPorts(service), dependencies.nodePorts),
    // Endpoints that were written by hand for a Service without selector go with it.
    ignoreNotFound(dependencies.client(endpoints).delete(keyOf(service))),
  ]);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected')
      dependencies.logger.warn('a deleted Service left something behind', { service: keyOf(service), error: outcome.reason });
  }
}
