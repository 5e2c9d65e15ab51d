import { StatusError } from '../../../api/meta/status.ts';
import type { AdmissionMetrics, AdmissionType } from '../metrics/admission-metrics.ts';
import type { Admission } from '../registry/registry-dependencies.ts';
import type { AdmissionDependencies, AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts';

/** Runs the plugins one after the other, in the order given; the first that throws ends the request. */
export function createAdmission(
  plugins: readonly AdmissionPlugin[],
  dependencies: AdmissionDependencies,
  metrics: AdmissionMetrics,
): Admission {
  for (const plugin of plugins) for (const resource of plugin.reads ?? []) dependencies.lister(resource);
  const byOperation = new Map<AdmissionOperation, { readonly mutating: Phase; readonly validating: Phase }>();
  for (const operation of ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const) {
    const concerned = plugins.filter((plugin) => plugin.operations.includes(operation));
    byOperation.set(operation, {
      mutating: concerned.flatMap(({ name, admit }) => (admit ? { name, run: admit } : [])),
      validating: concerned.flatMap(({ name, validate }) => (validate ? { name, run: validate } : [])),
    });
  }
  const run = async (type: AdmissionType, phase: Phase, request: AdmissionRequest): Promise<void> => {
    const { clock } = dependencies;
    const { operation } = request;
    const startMs = clock.monotonicMs();
    let sinceMs = startMs;
    let rejected = false;
    try {
      for (const plugin of phase) {
        try {
          await plugin.run(request, dependencies);
        } catch (error) {
          rejected = error instanceof StatusError;
          throw error;
        } finally {
          const nowMs = clock.monotonicMs();
          metrics.plugin(plugin.name, type, operation, rejected, (nowMs - sinceMs) / 1000);
          sinceMs = nowMs;
        }
      }
    } finally {
      metrics.step(type, operation, rejected, (sinceMs - startMs) / 1000);
    }
  };
  return {
    mutate: (request) => run('admit', byOperation.get(request.operation)?.mutating ?? [], request),
    validate: (request) => run('validate', byOperation.get(request.operation)?.validating ?? [], request),
  };
}

type Phase = readonly {
  readonly name: string;
  run(request: AdmissionRequest, dependencies: AdmissionDependencies): Promise<void>;
}[];
