import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { invalidFor, validateChoice, validateEach, validatePositive, validateRequired } from '../../../resource/field-rules.ts';
import type { DeviceRequest, DeviceSelector, DeviceSubRequest, ExactDeviceRequest, ResourceClaimSpec } from '../../../types/resource-v1.ts';
import { duplicate, type FieldError, invalid, required, tooMany } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../../validation/names.ts';

const maxRequests = 32;
const maxAlternatives = 8;
const maxSelectors = 32;

/** Devices that a claim asks for. */
export function validateClaimSpec(spec: DeepReadonly<ResourceClaimSpec> | undefined, path: FieldPath): FieldError[] {
  const { requests, constraints } = spec?.devices ?? {};
  const at = path.child('devices');
  const names = new Set<string>();
  const errors = (requests ?? []).length > maxRequests ? [tooMany(at.child('requests'), (requests ?? []).length, maxRequests)] : [];
  errors.push(
    ...validateEach(requests, at.child('requests'), (request, requestPath) => {
      const problems = validateRequired(requestPath.child('name'), request.name, dns1123LabelProblems);
      if (names.has(request.name)) problems.push(duplicate(requestPath.child('name'), request.name));
      names.add(request.name);
      return [...problems, ...validateRequest(request, requestPath)];
    }),
  );
  return [
    ...errors,
    ...validateEach(constraints, at.child('constraints'), (constraint, constraintPath) => [
      ...validateEach(constraint.requests, constraintPath.child('requests'), (name, namePath) =>
        names.has(name.split('/')[0] ?? '')
          ? []
          : [
              invalid(
                namePath,
                name,
                "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
              ),
            ],
      ),
      ...(constraint.matchAttribute === undefined && constraint.distinctAttribute === undefined
        ? [required(constraintPath.child('matchAttribute'))]
        : []),
    ]),
  ];
}

function validateRequest({ exactly, firstAvailable = [] }: DeepReadonly<DeviceRequest>, at: FieldPath): FieldError[] {
  const count = (exactly === undefined ? 0 : 1) + (firstAvailable.length > 0 ? 1 : 0);
  if (count === 0) return [required(at, 'exactly one of `exactly` or `firstAvailable` is required')];
  if (count > 1) return [invalid(at, null, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set')];
  if (exactly !== undefined) return validateExactly(exactly, at.child('exactly'));
  const path = at.child('firstAvailable');
  const names = new Set<string>();
  const errors = firstAvailable.length > maxAlternatives ? [tooMany(path, firstAvailable.length, maxAlternatives)] : [];
  return [
    ...errors,
    ...validateEach(firstAvailable, path, (alternative, alternativePath) => {
      const problems = validateRequired(alternativePath.child('name'), alternative.name, dns1123LabelProblems);
      if (names.has(alternative.name)) problems.push(duplicate(alternativePath.child('name'), alternative.name));
      names.add(alternative.name);
      return [...problems, ...validateExactly(alternative, alternativePath)];
    }),
  ];
}

function validateExactly(request: DeepReadonly<ExactDeviceRequest | DeviceSubRequest>, at: FieldPath): FieldError[] {
  const { deviceClassName, allocationMode, count = 0 } = request;
  const errors = validateRequired(at.child('deviceClassName'), deviceClassName, dns1123SubdomainProblems);
  errors.push(...validateSelectors(request.selectors, at.child('selectors')));
  if (allocationMode === 'All') {
    if (count !== 0) errors.push(invalid(at.child('count'), count, "must not be specified when allocationMode is 'All'"));
  } else {
    errors.push(...validateChoice(at.child('allocationMode'), allocationMode, ['All', 'ExactCount'], 'unsupported'));
    if (allocationMode === 'ExactCount') errors.push(...validatePositive(at.child('count'), count));
  }
  return errors;
}

/** Expressions (CEL) on devices; that they compile is checked where they are run. */
export function validateSelectors(selectors: readonly DeepReadonly<DeviceSelector>[] | undefined, path: FieldPath): FieldError[] {
  const errors = (selectors ?? []).length > maxSelectors ? [tooMany(path, (selectors ?? []).length, maxSelectors)] : [];
  return [
    ...errors,
    ...validateEach(selectors, path, ({ cel }, at) =>
      cel === undefined ? [required(at.child('cel'))] : cel.expression ? [] : [required(at.child('cel', 'expression'))],
    ),
  ];
}

/** Names of drivers are domains. */
export function validateDriverName(name: string | undefined, path: FieldPath): FieldError[] {
  if (!name) return [required(path)];
  return invalidFor(path, name, dns1123SubdomainProblems(name));
}
