import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { invalidFor } from '../../../../resource/field-rules.ts';
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from '../../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { httpHeaderNameProblems, validateNonnegative } from '../../../../validation/formats.ts';
import { validatePortReference } from './names.ts';

type Handler = DeepReadonly<Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>>;
type ProbeRole = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

const numbers = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const;

/** A probe in its role: only readiness may ask for several successes, and readiness never ends a container. */
export function validateProbe(
  probe: DeepReadonly<Probe> | undefined,
  role: ProbeRole,
  graceSeconds: number | undefined,
  path: FieldPath,
): FieldError[] {
  if (probe === undefined) return [];
  const errors = validateHandler(probe, graceSeconds, path);
  for (const field of numbers) {
    const value = probe[field] ?? 0;
    if (value < 0) errors.push(...validateNonnegative(path.child(field), value));
  }
  const { terminationGracePeriodSeconds: ownGraceSeconds, successThreshold = 1 } = probe;
  if (ownGraceSeconds !== undefined && ownGraceSeconds <= 0) {
    errors.push(invalid(path.child('terminationGracePeriodSeconds'), ownGraceSeconds, 'must be greater than 0'));
  }
  if (role === 'readinessProbe') {
    if (ownGraceSeconds !== undefined) {
      errors.push(invalid(path.child('terminationGracePeriodSeconds'), ownGraceSeconds, 'must not be set for readinessProbes'));
    }
  } else if (successThreshold !== 1) errors.push(invalid(path.child('successThreshold'), successThreshold, 'must be 1'));
  return errors;
}

export function validateLifecycle(
  lifecycle: DeepReadonly<Lifecycle> | undefined,
  graceSeconds: number | undefined,
  path: FieldPath,
  osName: string | undefined,
): FieldError[] {
  if (lifecycle === undefined) return [];
  const errors: FieldError[] = [];
  if (lifecycle.postStart) errors.push(...validateHandler(lifecycle.postStart, graceSeconds, path.child('postStart')));
  if (lifecycle.preStop) errors.push(...validateHandler(lifecycle.preStop, graceSeconds, path.child('preStop')));
  if (lifecycle.stopSignal !== undefined && osName === undefined) {
    errors.push(forbidden(path.child('stopSignal'), 'may not be set for containers with empty `spec.os.name`'));
  }
  return errors;
}

const handlerTypes = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function validateHandler(handler: Handler, graceSeconds: number | undefined, path: FieldPath): FieldError[] {
  const [first, ...others] = handlerTypes.filter((type) => handler[type] !== undefined);
  if (first === undefined) return [required(path, 'must specify a handler type')];
  return [
    ...validateAction(handler, graceSeconds, path.child(first)),
    ...others.map((type) => forbidden(path.child(type), 'may not specify more than 1 handler type')),
  ];
}

function validateAction(
  { exec, httpGet, tcpSocket, grpc, sleep }: Handler,
  graceSeconds: number | undefined,
  path: FieldPath,
): FieldError[] {
  if (exec) return (exec.command ?? []).length === 0 ? [required(path.child('command'))] : [];
  if (httpGet) return validateHTTPGet(httpGet, path);
  if (tcpSocket) return validatePortReference(path.child('port'), tcpSocket.port);
  if (grpc) return validatePortReference(path.child('port'), grpc.port);
  if (sleep && graceSeconds !== undefined && (sleep.seconds < 0 || sleep.seconds > graceSeconds)) {
    return [invalid(path, sleep.seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`)];
  }
  return [];
}

function validateHTTPGet(action: DeepReadonly<HTTPGetAction>, path: FieldPath): FieldError[] {
  const errors = action.path ? [] : [required(path.child('path'))];
  errors.push(...validatePortReference(path.child('port'), action.port));
  if (action.scheme !== 'HTTP' && action.scheme !== 'HTTPS')
    errors.push(notSupported(path.child('scheme'), action.scheme ?? '', ['HTTP', 'HTTPS']));
  for (const { name } of action.httpHeaders ?? [])
    errors.push(...invalidFor(path.child('httpHeaders'), name, httpHeaderNameProblems(name)));
  return errors;
}
