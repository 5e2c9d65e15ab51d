import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { validateChoice, validatePositive, validateRequired } from '../../../resource/field-rules.ts';
import type {
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaimSpec,
} from '../../../types/resource-v1.ts';
import { type FieldError, invalid, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../../validation/names.ts';
import { maxConfigs, validateAttributeName, validateOpaque, validateSelectors, validateSet, validateToleration } from './device-rules.ts';

const maxRequests = 32;
const maxAlternatives = 8;
const maxConstraints = 32;
const maxTolerations = 16;

/** Devices that a claim asks for. */
export function validateClaimSpec(spec: DeepReadonly<ResourceClaimSpec> | undefined, path: FieldPath): FieldError[] {
  const { requests, constraints, config } = spec?.devices ?? {};
  const at = path.child('devices');
  const names = requestNames(spec);
  return [
    ...validateSet(requests, at.child('requests'), {
      max: maxRequests,
      keyOf: ({ name }) => name,
      validate: (request, requestPath) => [
        ...validateRequired(requestPath.child('name'), request.name, dns1123LabelProblems),
        ...validateRequest(request, requestPath),
      ],
    }),
    ...validateSet(constraints, at.child('constraints'), {
      max: maxConstraints,
      validate: (constraint, constraintPath) => validateConstraint(constraint, names, constraintPath),
    }),
    ...validateSet(config, at.child('config'), {
      max: maxConfigs,
      validate: (one, configPath) => [
        ...validateRequestRefs(one.requests, names, configPath.child('requests')),
        ...validateOpaque(one.opaque, configPath.child('opaque')),
      ],
    }),
  ];
}

/** Every name that can refer to a request or to one of its alternatives. */
export function requestNames(spec: DeepReadonly<ResourceClaimSpec> | undefined): ReadonlySet<string> {
  return new Set(
    (spec?.devices?.requests ?? []).flatMap(({ name, firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((one) => `${name}/${one.name}`),
    ]),
  );
}

export function validateRequestRefs(refs: readonly string[] | undefined, names: ReadonlySet<string>, path: FieldPath): FieldError[] {
  return validateSet(refs, path, { max: maxRequests, keyOf: (name) => name, validate: (name, at) => validateRequestRef(name, names, at) });
}

export function validateRequestRef(name: string, names: ReadonlySet<string>, path: FieldPath): FieldError[] {
  const unknown = invalid(
    path,
    name,
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
  );
  const parts = name.split('/');
  if (parts.length > 2) return [unknown];
  const errors = parts.flatMap((part) => validateRequired(path, part, dns1123LabelProblems));
  return names.has(name) ? errors : [...errors, unknown];
}

function validateConstraint(
  { requests, matchAttribute, distinctAttribute }: DeepReadonly<DeviceConstraint>,
  names: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  const errors = validateRequestRefs(requests, names, path.child('requests'));
  if (matchAttribute !== undefined) return [...errors, ...validateAttributeName(matchAttribute, path.child('matchAttribute'))];
  if (distinctAttribute !== undefined) return [...errors, ...validateAttributeName(distinctAttribute, path.child('distinctAttribute'))];
  return [...errors, required(path.child('matchAttribute'))];
}

function validateRequest({ exactly, firstAvailable = [] }: DeepReadonly<DeviceRequest>, at: FieldPath): FieldError[] {
  const count = (exactly === undefined ? 0 : 1) + (firstAvailable.length > 0 ? 1 : 0);
  if (count === 0) return [required(at, 'exactly one of `exactly` or `firstAvailable` is required')];
  if (count > 1) return [invalid(at, null, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set')];
  if (exactly !== undefined) return validateExactly(exactly, at.child('exactly'));
  return validateSet(firstAvailable, at.child('firstAvailable'), {
    max: maxAlternatives,
    keyOf: ({ name }) => name,
    validate: (alternative, path) => [
      ...validateRequired(path.child('name'), alternative.name, dns1123LabelProblems),
      ...validateExactly(alternative, path),
    ],
  });
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
  return [...errors, ...validateSet(request.tolerations, at.child('tolerations'), { max: maxTolerations, validate: validateToleration })];
}
