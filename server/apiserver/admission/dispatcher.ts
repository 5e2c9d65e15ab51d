import { StatusError } from '../../../api/meta/status.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { AdmissionCounter, AdmissionMetrics, AdmissionType } from '../metrics/admission-metrics.ts';
import { isSameResource } from './admission-request.ts';
import type { Admission, AdmissionDependencies, AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts';

/** Runs the plugins one after the other in the given order; the first that throws ends the request. */
export function createAdmission(
  plugins: readonly AdmissionPlugin[],
  dependencies: AdmissionDependencies,
  metrics: AdmissionMetrics,
): Admission {
  for (const plugin of plugins) for (const resource of plugin.reads ?? []) dependencies.lister(resource);
  const phasesOf = createPhases(plugins, metrics);
  const run = async ({ steps, count }: Phase, request: AdmissionRequest): Promise<void> => {
    const { clock } = dependencies;
    const startMs = clock.monotonicMs();
    let sinceMs = startMs;
    let rejected = false;
    try {
      for (let index = 0; index < steps.length; index++) {
        const step = steps[index];
        if (step?.run === undefined) {
          step?.count(false, 0);
          continue;
        }
        try {
          await step.run(request, dependencies);
        } catch (error) {
          rejected = error instanceof StatusError;
          throw error;
        } finally {
          const nowMs = clock.monotonicMs();
          step.count(rejected, (nowMs - sinceMs) / 1000);
          sinceMs = nowMs;
        }
      }
    } finally {
      count(rejected, (sinceMs - startMs) / 1000);
    }
  };
  return {
    async mutate(request) {
      const { mutating } = phasesOf(request.operation, request.resource);
      await run(mutating, request);
      if (!request.reinvocation.isWanted) return;
      request.reinvocation.isSecondRun = true;
      await run(mutating, request);
    },
    validate: (request) => run(phasesOf(request.operation, request.resource).validating, request),
  };
}

type Run = (request: AdmissionRequest, dependencies: AdmissionDependencies) => Promise<void>;

interface Phase {
  /** All plugins of the operation, since all are counted; those that have nothing to say of the resource have nothing to run. */
  readonly steps: readonly { readonly run: Run | undefined; readonly count: AdmissionCounter }[];
  readonly count: AdmissionCounter;
}

interface Phases {
  readonly mutating: Phase;
  readonly validating: Phase;
}

/** Finds out once who is asked about a resource. */
function createPhases(
  plugins: readonly AdmissionPlugin[],
  metrics: AdmissionMetrics,
): (operation: AdmissionOperation, resource: ResourceDefinition) => Phases {
  const phaseOf = (type: AdmissionType, operation: AdmissionOperation, resource: ResourceDefinition): Phase => ({
    steps: plugins.flatMap((plugin) => {
      const own = type === 'admit' ? plugin.admit : plugin.validate;
      if (!own || !plugin.operations.includes(operation)) return [];
      const isConcerned = plugin.resources?.some((one) => isSameResource(one, resource)) ?? true;
      return [{ run: isConcerned ? own : undefined, count: metrics.plugin(plugin.name, type, operation) }];
    }),
    count: metrics.step(type, operation),
  });
  const known: Readonly<Record<AdmissionOperation, WeakMap<ResourceDefinition, Phases>>> = {
    CREATE: new WeakMap(),
    UPDATE: new WeakMap(),
    DELETE: new WeakMap(),
    CONNECT: new WeakMap(),
  };
  return (operation, resource) => {
    const found = known[operation].get(resource);
    if (found) return found;
    const phases = { mutating: phaseOf('admit', operation, resource), validating: phaseOf('validate', operation, resource) };
    known[operation].set(resource, phases);
    return phases;
  };
}
