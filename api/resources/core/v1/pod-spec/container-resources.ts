import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { invalidFor, validateEach } from '../../../../resource/field-rules.ts';
import { compareQuantities, quantityMilliValue } from '../../../../base/quantity/arithmetic.ts';
import { parseQuantity, type Quantity } from '../../../../base/quantity/quantity.ts';
import { isExtendedResource, isHugePagesResource, isNativeResource } from '../../../../semantics/pods/resource-list.ts';
import type { ContainerResizePolicy, ResourceRequirements } from '../../../../types/core-v1.ts';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
  hasEnoughErrors,
} from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { dns1123LabelProblems } from '../../../../validation/names.ts';
import { validateResourceName } from '../resource-name.ts';

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage']);

/** Whether more may be promised than there is; of the rest a request has to equal its limit. */
function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePagesResource(name);
}

/** The name of something that containers can use an amount of. */
export function validateContainerResourceName(name: string, path: FieldPath): FieldError[] {
  const errors = validateResourceName(name, path);
  if (!name.includes('/')) {
    const isKnown = containerResources.has(name) || isHugePagesResource(name);
    return isKnown ? errors : [...errors, invalid(path, name, 'must be a standard resource for containers')];
  }
  if (isNativeResource(name) || isExtendedResource(name)) return errors;
  return [...errors, invalid(path, name, "doesn't follow extended resource name standard")];
}

function quantityErrors(name: string, text: string, quantity: Quantity, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (quantity.unscaled < 0n) errors.push(invalid(path, text, 'must be greater than or equal to 0'));
  if (isExtendedResource(name) && quantityMilliValue(quantity) % 1000 !== 0) errors.push(invalid(path, text, 'must be an integer'));
  return errors;
}

/** Requests and limits of a container. `claimNames` are those of the Pod's resource claims. */
export function validateContainerResources(
  resources: DeepReadonly<ResourceRequirements> | undefined,
  claimNames: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  if (resources === undefined) return [];
  const { limits = {}, requests = {} } = resources;
  const errors: FieldError[] = [];
  for (const [name, text] of Object.entries(limits)) {
    if (hasEnoughErrors(errors)) break;
    const at = path.child('limits').key(name);
    errors.push(...validateContainerResourceName(name, at), ...quantityErrors(name, text, parseQuantity(text), at));
  }
  for (const [name, text] of Object.entries(requests)) {
    if (hasEnoughErrors(errors)) break;
    const at = path.child('requests').key(name);
    errors.push(...validateContainerResourceName(name, at), ...quantityErrors(name, text, parseQuantity(text), at));
    errors.push(...requestAgainstLimit(name, text, limits[name], path));
  }
  const names = new Set([...Object.keys(limits), ...Object.keys(requests)]);
  if (!names.has('cpu') && !names.has('memory') && [...names].some(isHugePagesResource)) {
    errors.push(forbidden(path, 'HugePages require cpu or memory'));
  }
  return [...errors, ...validateClaims(resources, claimNames, path.child('claims'))];
}

function requestAgainstLimit(name: string, request: string, limit: string | undefined, path: FieldPath): FieldError[] {
  const mayOvercommit = isOvercommitAllowed(name);
  if (limit === undefined)
    return mayOvercommit ? [] : [required(path.child('limits'), 'Limit must be set for non overcommitable resources')];
  const order = compareQuantities(parseQuantity(request), parseQuantity(limit));
  if (order !== 0 && !mayOvercommit) return [invalid(path.child('requests'), request, `must be equal to ${name} limit of ${limit}`)];
  if (order > 0) return [invalid(path.child('requests'), request, `must be less than or equal to ${name} limit of ${limit}`)];
  return [];
}

function validateClaims({ claims }: DeepReadonly<ResourceRequirements>, podClaims: ReadonlySet<string>, path: FieldPath): FieldError[] {
  const known = [...podClaims].sort().join(', ');
  const seen = new Set<string>();
  const claimsWithRequest = new Set<string>();
  return validateEach(claims, path, ({ name, request }, at) => {
    if (!name) return [required(at)];
    const errors: FieldError[] = [];
    const key = request ? `${name}/${request}` : name;
    if (request) errors.push(...invalidFor(at.child('request'), request, dns1123LabelProblems(request)));
    const overlaps = seen.has(name) || seen.has(key) || (!request && claimsWithRequest.has(name));
    if (overlaps) errors.push(duplicate(at, seen.has(name) ? name : key));
    seen.add(key);
    if (request) claimsWithRequest.add(name);
    if (!podClaims.has(name)) {
      const detail = `must be one of the names in pod.spec.resourceClaims${known === '' ? ' which is empty' : `: ${known}`}`;
      errors.push({ ...notFound(at, name), detail });
    }
    return errors;
  });
}

/** Validates the resize policies of a container: its behaviour when a resource is changed while it runs (KEP-1287). */
export function validateResizePolicy(
  policies: readonly DeepReadonly<ContainerResizePolicy>[] | undefined,
  podRestartPolicy: string | undefined,
  path: FieldPath,
): FieldError[] {
  const seen = new Set<string>();
  return (policies ?? []).flatMap(({ resourceName, restartPolicy }, index) => {
    const errors: FieldError[] = [];
    if (seen.has(resourceName)) errors.push(duplicate(path.index(index), resourceName));
    seen.add(resourceName);
    if (!resourceName) errors.push(required(path));
    else if (resourceName !== 'cpu' && resourceName !== 'memory') errors.push(notSupported(path, resourceName, ['cpu', 'memory']));
    if (!restartPolicy) errors.push(required(path));
    else if (restartPolicy !== 'NotRequired' && restartPolicy !== 'RestartContainer') {
      errors.push(notSupported(path, restartPolicy, ['NotRequired', 'RestartContainer']));
    }
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(invalid(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
    }
    return errors;
  });
}
