import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { parseQuantity } from '../../../base/quantity/quantity.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateEach } from '../../../resource/field-rules.ts';
import { isExtendedResource, isHugePagesResource } from '../../../semantics/pods/resource-list.ts';
import type { ResourceQuota } from '../../../types/core-v1.ts';
import { type FieldError, invalid, required, hasEnoughErrors } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateResourceName } from './resource-name.ts';

const countable = new Set([
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
]);
const computable = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'storage',
]);
const scopes = new Set([
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
]);
const opposites = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

/** How much the objects of a namespace may take together. */
export const resourceQuotas = defineResource<ResourceQuota>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ResourceQuota', plural: 'resourcequotas', shortNames: ['quota'] },
  definition: 'io.k8s.api.core.v1.ResourceQuota',
  subresources: {
    status: { kind: 'ResourceQuota', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'resourcequotas',
  printerColumns: [
    nameColumn,
    textColumn('Request', (quota) => formatUsage(quota, false)),
    textColumn('Limit', (quota) => formatUsage(quota, true)),
    ageColumn,
  ],
  validate: ({ spec = {} }, path) => [
    ...validateAmounts(spec.hard, path.child('spec', 'hard')),
    ...validateScopes(spec, path.child('spec', 'scopes')),
    ...validateScopeSelector(spec, path.child('spec', 'scopeSelector', 'matchExpressions')),
  ],
  validateUpdate({ spec }, old, path) {
    const now = new Set(spec?.scopes);
    const same = now.symmetricDifference(new Set(old.spec?.scopes)).size === 0;
    return same ? [] : [invalid(path.child('spec', 'scopes'), spec?.scopes ?? null, 'field is immutable')];
  },
  validateStatusUpdate: ({ status }, _old, path) => [
    ...validateAmounts(status?.hard, path.child('status', 'hard')),
    ...validateAmounts(status?.used, path.child('status', 'used')),
  ],
});

function formatUsage({ status }: DeepReadonly<ResourceQuota>, ofLimits: boolean): string {
  return Object.entries(status?.hard ?? {})
    .filter(([name]) => name.startsWith('limits.') === ofLimits)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? '0'}/${hard}`)
    .join(', ');
}

function validateAmounts(amounts: Readonly<Record<string, string>> | undefined, path: FieldPath): FieldError[] {
  return validateEach(Object.entries(amounts ?? {}), path, ([name, text]) => {
    const at = path.key(name);
    const isStandard = countable.has(name) || computable.has(name) || isHugePagesResource(name.replace(/^requests\./, ''));
    const errors = validateResourceName(name, at);
    if (!name.includes('/') && !isStandard) errors.push(invalid(at, name, 'must be a standard resource for quota'));
    const quantity = parseQuantity(text);
    if (quantity.unscaled < 0n) errors.push(invalid(at, text, 'must be greater than or equal to 0'));
    if (
      (countable.has(name) || isExtendedResource(name)) &&
      quantity.scale < 0 &&
      quantity.unscaled % 10n ** BigInt(-quantity.scale) !== 0n
    ) {
      errors.push(invalid(at, text, 'must be an integer'));
    }
    return errors;
  });
}

type QuotaSpec = NonNullable<DeepReadonly<ResourceQuota>['spec']>;

function validateScopes({ scopes: given = [], hard }: QuotaSpec, path: FieldPath): FieldError[] {
  const known = knownResources(hard);
  const errors = validateEach(given, path, (scope) => [
    ...(scopes.has(scope) ? [] : [invalid(path, given, 'unsupported scope')]),
    ...resourcesOutsideScope(scope, known).map(() => invalid(path, given, outsideScope)),
  ]);
  if (opposites.some(([a, b]) => given.includes(a) && given.includes(b))) errors.push(invalid(path, given, 'conflicting scopes'));
  return errors;
}

const outsideScope = 'unsupported scope applied to resource';

/** Resources of Pods that a quota with scopes may count. */
const countedOfPods = ['pods', 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'];
const countedInScope: Readonly<Record<string, readonly string[]>> = {
  Terminating: countedOfPods,
  NotTerminating: countedOfPods,
  NotBestEffort: countedOfPods,
  PriorityClass: countedOfPods,
  CrossNamespacePodAffinity: countedOfPods,
  BestEffort: ['pods'],
  VolumeAttributesClass: ['persistentvolumeclaims', 'requests.storage'],
};

function knownResources(hard: Readonly<Record<string, string>> = {}): string[] {
  return Object.keys(hard).filter((name) => countable.has(name) || computable.has(name));
}

/** The well-known resources of a quota that objects in the scope cannot use. */
function resourcesOutsideScope(scope: string, known: readonly string[]): string[] {
  const counted = Object.hasOwn(countedInScope, scope) ? countedInScope[scope] : undefined;
  if (!counted) return [];
  return known.filter((name) => !counted.includes(name));
}

const withoutValues = new Set(['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']);

function validateScopeSelector({ scopeSelector, scopes: given, hard }: QuotaSpec, path: FieldPath): FieldError[] {
  const expressions = scopeSelector?.matchExpressions ?? [];
  const errors: FieldError[] = [];
  const known = knownResources(hard);
  for (const { scopeName, operator, values = [] } of expressions) {
    if (hasEnoughErrors(errors)) break;
    if (!scopes.has(scopeName)) errors.push(invalid(path.child('scopeName'), scopeName, 'unsupported scope'));
    errors.push(...resourcesOutsideScope(scopeName, known).map(() => invalid(path, scopeSelector, outsideScope)));
    if (withoutValues.has(scopeName) && operator !== 'Exists') {
      const detail =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.push(invalid(path.child('operator'), operator, detail));
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        errors.push(required(path.child('values'), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        errors.push(
          invalid(path.child('values'), values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"),
        );
    } else errors.push(invalid(path.child('operator'), operator ?? '', 'not a valid selector operator'));
  }
  const names = expressions.map(({ scopeName }) => scopeName as string);
  if (opposites.some(([a, b]) => names.includes(a) && names.includes(b))) errors.push(invalid(path, given ?? null, 'conflicting scopes'));
  return errors;
}
