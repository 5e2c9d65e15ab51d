import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { Random } from '../../../../api/base/random.ts';
import { internalError, invalid as invalidObject } from '../../../../api/meta/status-errors.ts';
import { needsHealthCheckNodePort, usesNodePorts } from '../../../../api/semantics/services/services.ts';
import type { Service, ServicePort } from '../../../../api/types/core-v1.ts';
import { invalid } from '../../../../api/validation/field-error.ts';
import { FieldPath } from '../../../../api/validation/field-path.ts';
import type { PortSet } from './port-set.ts';

/** The change of a Service's node ports. */
export interface NodePortPlan {
  /** For spec.ports, in their order; undefined: none. */
  readonly ports: readonly (number | undefined)[];
  readonly healthCheck: number | undefined;
  /** Taken now, to be given back if the Service is not written. */
  readonly allocated: readonly number[];
  /** No longer needed once the Service is written. */
  readonly released: readonly number[];
}

type ServiceView = DeepReadonly<Service>;

const mayHavePorts = ({ spec }: ServiceView) => spec?.type === 'NodePort' || spec?.type === 'LoadBalancer';

/** All node ports that a Service occupies. */
export function occupiedPorts(service: ServiceView): number[] {
  const { ports = [], healthCheckNodePort = 0 } = service.spec ?? {};
  const own = mayHavePorts(service) ? ports.map(({ nodePort = 0 }) => nodePort) : [];
  const health = needsHealthCheckNodePort(service) ? [healthCheckNodePort] : [];
  return [...new Set([...own, ...health])].filter((port) => port !== 0);
}

/** Decides, taking ports from `taken` (which is modified). Throws 422 for ports that cannot be had, 500 where there are none left. */
export function planNodePorts(
  service: ServiceView,
  old: ServiceView | undefined,
  taken: PortSet,
  random: Random,
  dryRun = false,
): NodePortPlan {
  const before = new Set(old ? occupiedPorts(old) : []);
  const operation = new Operation(taken, before, random, dryRun);
  const ports = mayHavePorts(service) ? assignPorts(service, old, operation) : (service.spec?.ports ?? []).map(({ nodePort }) => nodePort);
  // Once there is a port, a request for another one is refused by validation.
  const keepsHealthCheck = old !== undefined && needsHealthCheckNodePort(old);
  const healthCheck =
    needsHealthCheckNodePort(service) && !keepsHealthCheck ? assignHealthCheck(service, operation) : service.spec?.healthCheckNodePort;
  const after = new Set([...(mayHavePorts(service) ? ports : []), ...(needsHealthCheckNodePort(service) ? [healthCheck] : [])]);
  return { ports, healthCheck, allocated: operation.allocated, released: [...before].filter((port) => !after.has(port)) };
}

/** Why a port cannot be had. */
class PortError extends Error {}

class Operation {
  readonly allocated: number[] = [];
  readonly #taken: PortSet;
  readonly #before: ReadonlySet<number>;
  readonly #random: Random;
  readonly #dryRun: boolean;

  constructor(taken: PortSet, before: ReadonlySet<number>, random: Random, dryRun: boolean) {
    this.#dryRun = dryRun;
    this.#taken = taken;
    this.#before = before;
    this.#random = random;
  }

  /** Allocates a port, unless the Service has it already, be it for the same number of another protocol. */
  allocate(port: number): void {
    if (this.#before.has(port) || this.allocated.includes(port)) return;
    const { first, last } = this.#taken.range;
    if (!this.#taken.includes(port)) {
      // Upstream looks at the range when it takes a port, which a dry run does not do.
      if (this.#dryRun) return;
      throw new PortError(`provided port is not in the valid range. The range of valid ports is ${first}-${last}`);
    }
    if (this.#taken.has(port)) throw new PortError('provided port is already allocated');
    this.#take(port);
  }

  allocateNext(): number {
    const port = this.#taken.findFree(this.#random);
    if (port === undefined) throw new PortError('range is full');
    this.#take(port);
    return port;
  }

  #take(port: number): void {
    this.#taken.add(port);
    this.allocated.push(port);
  }
}

function assignPorts(service: ServiceView, old: ServiceView | undefined, operation: Operation): (number | undefined)[] {
  const ports = service.spec?.ports ?? [];
  const shouldAllocate = usesNodePorts(service);
  /** A new Service has the same node port for the same port of several protocols (DNS over UDP and TCP). */
  const byPort = new Map<number, number>();
  return ports.map((port, index) => {
    const requested =
      port.nodePort || (old ? undefined : (byPort.get(port.port ?? 0) ?? (shouldAllocate ? requestedFor(port, ports) : undefined)));
    if (requested === undefined && !shouldAllocate) return undefined;
    const chosen = requested === undefined ? allocateNext(operation, 'failed to allocate a nodePort') : requested;
    if (requested !== undefined) allocateRequested(service, operation, requested, index);
    byPort.set(port.port ?? 0, byPort.get(port.port ?? 0) ?? chosen);
    return chosen;
  });
}

function requestedFor({ port }: DeepReadonly<ServicePort>, ports: readonly DeepReadonly<ServicePort>[]): number | undefined {
  return ports.find((other) => other.port === port && other.nodePort)?.nodePort;
}

function allocateRequested({ metadata }: ServiceView, operation: Operation, port: number, index: number): void {
  try {
    operation.allocate(port);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    const path = FieldPath.root.child('spec', 'ports').index(index).child('nodePort');
    throw invalidObject({ group: '', kind: 'Service' }, metadata.name ?? '', [invalid(path, port, error.message)]);
  }
}

function allocateNext(operation: Operation, title: string): number {
  try {
    return operation.allocateNext();
  } catch (error) {
    throw error instanceof PortError ? internalError(`${title}: ${error.message}`) : error;
  }
}

function assignHealthCheck({ spec }: ServiceView, operation: Operation): number {
  const requested = spec?.healthCheckNodePort ?? 0;
  if (requested === 0) return allocateNext(operation, 'failed to allocate a HealthCheck NodePort 0');
  try {
    operation.allocate(requested);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    throw internalError(`failed to allocate requested HealthCheck NodePort ${requested}: ${error.message}`);
  }
  return requested;
}
