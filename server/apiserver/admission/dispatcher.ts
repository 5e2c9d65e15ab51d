import type { Admission } from '../registry/registry-dependencies.ts';
import type { AdmissionDependencies, AdmissionOperation, AdmissionPlugin, AdmissionRequest } from './admission.ts';

/** Runs the plugins one after the other, in the order given; the first that throws ends the request. */
export function createAdmission(plugins: readonly AdmissionPlugin[], dependencies: AdmissionDependencies): Admission {
  for (const plugin of plugins) for (const resource of plugin.reads ?? []) dependencies.lister(resource);
  const byOperation = new Map<AdmissionOperation, { readonly mutating: Phase; readonly validating: Phase }>();
  for (const operation of ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const) {
    const concerned = plugins.filter((plugin) => plugin.operations.includes(operation));
    byOperation.set(operation, {
      mutating: concerned.flatMap(({ admit }) => admit ?? []),
      validating: concerned.flatMap(({ validate }) => validate ?? []),
    });
  }
  const run = async (phase: Phase, request: AdmissionRequest): Promise<void> => {
    for (const step of phase) await step(request, dependencies);
  };
  return {
    mutate: (request) => run(byOperation.get(request.operation)?.mutating ?? [], request),
    validate: (request) => run(byOperation.get(request.operation)?.validating ?? [], request),
  };
}

type Phase = readonly ((request: AdmissionRequest, dependencies: AdmissionDependencies) => Promise<void>)[];
