import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import type { Container, EphemeralContainer, PodSpec } from '../../../../types/core-v1.ts';
import { type FieldError, invalid } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';

const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

function speaksOfWindows(spec: DeepReadonly<PodSpec>): boolean {
  if (spec.securityContext?.windowsOptions) return true;
  return lists.some((list) => spec[list]?.some(({ securityContext }) => securityContext?.windowsOptions !== undefined));
}

/** Containers that are processes of a Windows node: all of a Pod or none, and in the node's network (KEP-1981). */
export function validateWindowsHostProcess(spec: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  if (!speaksOfWindows(spec)) return [];
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const containers = lists.flatMap((field) =>
    (spec[field] ?? []).map((container: DeepReadonly<Container | EphemeralContainer>, index) => ({
      own: container.securityContext?.windowsOptions?.hostProcess,
      at: path.child(field).index(index).child('securityContext', 'windowsOptions', 'hostProcess'),
    })),
  );
  const errors = containers
    .filter(({ own }) => ofPod !== undefined && own !== undefined && own !== ofPod)
    .map(({ own, at }) => invalid(at, own, `pod hostProcess value must be identical if both are specified, was ${ofPod}`));
  const count = containers.filter(({ own }) => own ?? ofPod).length;
  if (count === 0) return errors;
  if (count !== containers.length) {
    errors.push(invalid(path, '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers'));
  }
  if (!spec.hostNetwork)
    errors.push(invalid(path.child('hostNetwork'), false, 'hostNetwork must be true if pod contains any hostProcess containers'));
  return errors;
}
