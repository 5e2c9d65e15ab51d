import { addQuantities, maxQuantity } from '../../base/quantity/arithmetic.ts';
import { formatQuantity, parseQuantity, type Quantity } from '../../base/quantity/quantity.ts';
import { isRestartableInitContainer } from '../../semantics/pods/pod-containers.ts';
import type { Container, PodSpec } from '../../types/core-v1.ts';

type Amounts = Map<string, Quantity>;

function amountsOf(list: Readonly<Record<string, string>> | undefined): Amounts {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}

function combine(into: Amounts, other: Amounts, by: (a: Quantity, b: Quantity) => Quantity): void {
  for (const [name, amount] of other) {
    const present = into.get(name);
    into.set(name, present ? by(present, amount) : amount);
  }
}

/**
 * The resources that the containers of a Pod need at any one moment: sidecars keep running, other init containers run one after another.
 */
function aggregate(spec: PodSpec, field: 'requests' | 'limits'): Amounts {
  const of = (container: Container) => amountsOf(container.resources?.[field]);
  const total: Amounts = new Map();
  for (const container of spec.containers ?? []) combine(total, of(container), addQuantities);
  const sidecars: Amounts = new Map();
  const starting: Amounts = new Map();
  for (const container of spec.initContainers ?? []) {
    const now = of(container);
    if (isRestartableInitContainer(container)) {
      combine(total, now, addQuantities);
      combine(sidecars, now, addQuantities);
      combine(starting, sidecars, maxQuantity);
    } else {
      combine(now, sidecars, addQuantities);
      combine(starting, now, maxQuantity);
    }
  }
  combine(total, starting, maxQuantity);
  return total;
}

const isHugePages = (name: string) => name.startsWith('hugepages-');
const isOvercommittable = (name: string) => name === 'cpu' || name === 'memory';

/** Defaults for resources given for the Pod as a whole (KEP-2837): absent requests follow from its containers or from its limits. */
export function defaultPodLevelResources(spec: PodSpec): void {
  const { resources } = spec;
  if (!resources || Object.keys({ ...resources.limits, ...resources.requests }).length === 0) return;
  for (const [name, amount] of aggregate(spec, 'limits')) {
    if (!isHugePages(name) || resources.limits?.[name] !== undefined || resources.requests?.[name] !== undefined) continue;
    (resources.limits ??= {})[name] = formatQuantity(amount);
  }
  if (Object.keys(resources.limits ?? {}).length === 0) return;
  const requests = (resources.requests ??= {});
  for (const [name, amount] of aggregate(spec, 'requests')) {
    if (isOvercommittable(name)) requests[name] ??= formatQuantity(amount);
  }
  for (const [name, limit] of Object.entries(resources.limits ?? {})) {
    if (isOvercommittable(name) || isHugePages(name)) requests[name] ??= limit;
  }
}
