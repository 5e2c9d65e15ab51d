import type { MetricFamilies } from '../metric-families.ts';

/** Availability of the APIServices. */
export interface AggregatorMetrics {
  /** The present state. */
  noteAvailability(name: string, isAvailable: boolean): void;
  /** A change from available, or from not known, to not available. */
  noteLoss(name: string, reason: string): void;
  /** An APIService that is no more. */
  forget(name: string): void;
}

export function createAggregatorMetrics(families: MetricFamilies): AggregatorMetrics {
  const availability = new Map<string, boolean>();
  families.gauge(
    {
      name: 'aggregator_unavailable_apiservice',
      help: 'Gauge of APIServices which are marked as unavailable broken down by APIService name.',
      stability: 'ALPHA',
      labels: ['name'],
    },
    (family) => {
      family.clear();
      for (const [name, isAvailable] of availability) family.with(name).value = isAvailable ? 0 : 1;
    },
  );
  const losses = families.counter({
    name: 'aggregator_unavailable_apiservice_total',
    help: 'Counter of APIServices which are marked as unavailable broken down by APIService name and reason.',
    stability: 'ALPHA',
    labels: ['name', 'reason'],
  });
  return {
    noteAvailability: (name, isAvailable) => void availability.set(name, isAvailable),
    noteLoss: (name, reason) => losses.with(name, reason).add(),
    forget: (name) => void availability.delete(name),
  };
}
