import { repeatedIndexes } from '../../../base/repeats.ts';
import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { quantityMilliValue } from '../../../base/quantity/arithmetic.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateChoice, validateEach } from '../../../resource/field-rules.ts';
import { findNodeAddress, findNodeCondition, nodeRoles } from '../../../semantics/nodes/node-conditions.ts';
import { isExtendedResource } from '../../../semantics/pods/resource-list.ts';
import type { Node, Taint } from '../../../types/core-v1.ts';
import { duplicate, type FieldError, forbidden, invalid } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateCIDR } from '../../../validation/ip-addresses.ts';
import { validateLabelName } from '../../../validation/labels.ts';
import { labelValueProblems } from '../../../validation/names.ts';
import { taintEffects } from './pod-spec/scheduling.ts';

/** A machine that runs Pods. */
export const nodes = defineResource<Node>({
  group: '',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'Node', plural: 'nodes', shortNames: ['no'] },
  definition: 'io.k8s.api.core.v1.Node',
  subresources: {
    proxy: { kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    status: { kind: 'Node', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'minions',
  // A kubelet creates its Node together with the status.
  keepsStatusOnCreate: true,
  printerColumns: [
    nameColumn,
    textColumn('Status', describeStatus),
    textColumn('Roles', (node) => nodeRoles(node).join(',') || '<none>'),
    ageColumn,
    textColumn('Version', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
    wideColumn('Internal-IP', (node) => findNodeAddress(node, 'InternalIP') ?? '<none>'),
    wideColumn('External-IP', (node) => findNodeAddress(node, 'ExternalIP') ?? '<none>'),
    wideColumn('OS-Image', ({ status }) => status?.nodeInfo?.osImage || '<unknown>'),
    wideColumn('Kernel-Version', ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>'),
    wideColumn('Container-Runtime', ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>'),
  ],
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
  default: mirrorPodCIDR,
  // Kubelets were once configured from ConfigMaps; only Nodes that were may still say so.
  prepareForCreate({ spec, status }) {
    if (spec) delete spec.configSource;
    if (status) delete status.config;
  },
  prepareForUpdate({ spec, status }, old) {
    if (spec && old.spec?.configSource === undefined) delete spec.configSource;
    if (status && old.status?.config === undefined) delete status.config;
  },
  validate: (node, path) => [
    ...validateTaints(node, path.child('metadata', 'taints')),
    ...validateResources(node, path),
    ...validatePodCIDRs(node, path),
  ],
  validateUpdate: validateNodeUpdate,
  validateStatusUpdate: (node, old, path) => [...validateResources(node, path), ...validateNodeUpdate(node, old, path)],
  canonicalize: mirrorPodCIDR,
  warnings: nodeWarnings,
});

function describeStatus(node: DeepReadonly<Node>): string {
  const ready = findNodeCondition(node, 'Ready');
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec?.unschedulable ? `${word},SchedulingDisabled` : word;
}

/** `podCIDR` is the first of `podCIDRs`; where they differ, who writes knows of the first alone. */
function mirrorPodCIDR({ spec }: Node): void {
  if (!spec) return;
  const first = spec.podCIDRs?.[0];
  if (spec.podCIDR && spec.podCIDR !== first) spec.podCIDRs = [spec.podCIDR];
  else if (first !== undefined) spec.podCIDR = first;
}

function nodeWarnings({ spec }: DeepReadonly<Node>): string[] {
  const warnings: string[] = [];
  if (spec?.externalID) warnings.push('spec.externalID: this field is deprecated, and is unused by Kubernetes');
  if (spec?.configSource) warnings.push('spec.configSource: the feature is removed');
  return warnings;
}

// The path of taints is upstream's.
function validateTaints({ spec }: DeepReadonly<Node>, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return validateEach(spec?.taints, path, (taint: DeepReadonly<Taint>, at) => {
    const { key, value = '', effect } = taint;
    const errors = validateLabelName(key, at.child('key'));
    const problems = labelValueProblems(value);
    if (problems.length > 0) errors.push(invalid(at.child('value'), value, problems.join(';')));
    errors.push(...validateChoice(at.child('effect'), effect, taintEffects));
    const unique = `${key}:${effect}`;
    if (seen.has(unique)) errors.push({ ...duplicate(at, taint), detail: 'taints must be unique by key and effect pair' });
    seen.add(unique);
    return errors;
  });
}

function validateResources({ status }: DeepReadonly<Node>, path: FieldPath): FieldError[] {
  return (['capacity', 'allocatable'] as const).flatMap((field) =>
    Object.entries(status?.[field] ?? {}).flatMap(([name, text]) => {
      const at = path.child('status', field, name);
      const milli = quantityMilliValue(text);
      const errors = milli < 0 ? [invalid(at, text, 'must be greater than or equal to 0')] : [];
      if ((name === 'pods' || isExtendedResource(name)) && milli % 1000 !== 0) errors.push(invalid(at, text, 'must be an integer'));
      return errors;
    }),
  );
}

function validatePodCIDRs({ spec }: DeepReadonly<Node>, path: FieldPath): FieldError[] {
  const ranges = spec?.podCIDRs ?? [];
  const at = path.child('spec', 'podCIDRs');
  const errors = validateEach(ranges, at, (range, rangePath) => validateCIDR(rangePath, range));
  const versions = new Set(ranges.map((range) => range.includes(':')));
  if (ranges.length > versions.size) errors.push(invalid(at, ranges, 'may specify no more than one CIDR for each IP family'));
  const repeated = repeatedIndexes(ranges);
  return [...errors, ...validateEach(ranges, at, (range, rangePath, index) => (repeated.has(index) ? [duplicate(rangePath, range)] : []))];
}

function validateNodeUpdate(node: DeepReadonly<Node>, old: DeepReadonly<Node>, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const at = path.child('spec');
  const seen = new Set<string>();
  for (const [index, address] of (node.status?.addresses ?? []).entries()) {
    const key = `${address.type}/${address.address}`;
    if (seen.has(key)) errors.push(duplicate(path.child('status', 'addresses').index(index), address));
    seen.add(key);
  }
  const oldRanges = old.spec?.podCIDRs ?? [];
  if (oldRanges.length > 0 && !isSemanticallyEqual(oldRanges, node.spec?.podCIDRs)) {
    errors.push(forbidden(at.child('podCIDRs'), 'node updates may not change podCIDR except from "" to valid'));
  }
  const oldProvider = old.spec?.providerID;
  if (oldProvider && oldProvider !== node.spec?.providerID) {
    errors.push(forbidden(at.child('providerID'), 'node updates may not change providerID except from "" to valid'));
  }
  if ((node.spec?.externalID ?? '') !== (old.spec?.externalID ?? '')) errors.push(forbidden(at.child('externalID'), 'may not be updated'));
  return errors;
}
