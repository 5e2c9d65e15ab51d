import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { isSemanticallyEqual, semanticText } from '../../../../base/equality.ts';
import { diffJSON } from '../../../../resource/json-diff.ts';
import type { Affinity, NodeAffinity, NodeSelectorTerm, Pod, PodSpec, Toleration } from '../../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid, required } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { inclusiveRangeMessage } from '../../../../validation/formats.ts';

type Spec = DeepReadonly<PodSpec>;

const maxInt32 = 2_147_483_647;
const mirrorAnnotation = 'kubernetes.io/config.mirror';
const updatableFields = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

/** Validates a change of a Pod: only some of its fields may change. */
export function validatePodUpdate(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>, path: FieldPath): FieldError[] {
  const empty = { containers: [] };
  return [...validateAnnotationUpdate(pod, old, path), ...validateSpecUpdate(pod.spec ?? empty, old.spec ?? empty, path.child('spec'))];
}

/** Validates that the mirror annotation is not added, removed or changed. */
export function validateAnnotationUpdate(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>, path: FieldPath): FieldError[] {
  const after = pod.metadata.annotations?.[mirrorAnnotation];
  const before = old.metadata.annotations?.[mirrorAnnotation];
  if (after === before) return [];
  const verb = before === undefined ? 'add' : 'remove or update';
  return [forbidden(path.child('metadata', 'annotations').key(mirrorAnnotation), `may not ${verb} mirror pod annotation`)];
}

function validateSpecUpdate(spec: Spec, old: Spec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['containers', 'initContainers'] as const) {
    const after = spec[field] ?? [];
    if (after.length !== (old[field] ?? []).length)
      return [...errors, forbidden(path.child(field), 'pod updates may not add or remove containers')];
    for (const [index, { image = '' }] of after.entries()) {
      const at = path.child(field).index(index).child('image');
      if (image === '') errors.push(required(at));
      if (image.trim() !== image) errors.push(invalid(at, image, 'must not have leading or trailing whitespace'));
    }
  }
  const deadline = validateDeadlineUpdate(spec.activeDeadlineSeconds, old.activeDeadlineSeconds, path.child('activeDeadlineSeconds'));
  errors.push(...deadline);
  if (deadline.length > 0 && spec.activeDeadlineSeconds !== undefined) return errors;
  errors.push(...validateTolerationUpdate(spec.tolerations ?? [], old.tolerations ?? [], path.child('tolerations')));
  const oldGates = new Set((old.schedulingGates ?? []).map(({ name }) => name));
  for (const [index, { name }] of (spec.schedulingGates ?? []).entries()) {
    if (oldGates.has(name)) continue;
    errors.push(
      forbidden(
        path.child('schedulingGates').index(index).child('name'),
        `only deletion is allowed, but found new scheduling gate '${name}'`,
      ),
    );
  }
  if (isSemanticallyEqual(spec, old)) return errors;
  if (oldGates.size > 0) errors.push(...validateGatedUpdate(spec, old, path));
  const comparable = withUpdatableFieldsOf(spec, old);
  if (isSemanticallyEqual(comparable, old)) return errors;
  return [...errors, forbidden(path, `pod updates may not change fields other than ${updatableFields}\n${diffJSON(old, comparable)}`)];
}

function validateDeadlineUpdate(after: number | undefined, before: number | undefined, path: FieldPath): FieldError[] {
  if (after === undefined) return before === undefined ? [] : [invalid(path, null, 'must not update from a positive integer to nil value')];
  if (after < 0 || after > maxInt32) return [invalid(path, after, inclusiveRangeMessage(0, maxInt32))];
  return before !== undefined && before < after ? [invalid(path, after, 'must be less than or equal to previous value')] : [];
}

function validateTolerationUpdate(
  after: readonly DeepReadonly<Toleration>[],
  before: readonly DeepReadonly<Toleration>[],
  path: FieldPath,
): FieldError[] {
  const textOf = (toleration: DeepReadonly<Toleration>) => semanticText({ ...toleration, tolerationSeconds: null });
  const present = new Set(after.map(textOf));
  return before.every((toleration) => present.has(textOf(toleration)))
    ? []
    : [forbidden(path, 'existing toleration can not be modified except its tolerationSeconds')];
}

/** The new spec with all updatable fields set to their old values: any remaining difference is forbidden. */
function withUpdatableFieldsOf(spec: Spec, old: Spec): Spec {
  const free: (keyof Spec)[] = ['activeDeadlineSeconds', 'tolerations', 'schedulingGates'];
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1) free.push('terminationGracePeriodSeconds');
  const isGated = (old.schedulingGates ?? []).length > 0;
  if (isGated) free.push('nodeSelector', 'affinity');
  const fixed = Object.fromEntries(Object.entries(spec).filter(([field]) => !(free as string[]).includes(field)));
  const merged: { -readonly [K in keyof Spec]: Spec[K] } = {
    ...fixed,
    ...pick(old, free),
    containers: withOldImages(spec.containers, old.containers),
  };
  if (spec.initContainers) merged.initContainers = withOldImages(spec.initContainers, old.initContainers);
  if (isGated) {
    delete merged.affinity;
    Object.assign(merged, withNodeAffinityOf(spec.affinity, old.affinity));
  }
  return merged;
}

function withOldImages(containers: Spec['containers'], old: Spec['containers'] | undefined): Spec['containers'] {
  return containers.map((container, index) => {
    const { image: _image, ...rest } = container;
    const image = old?.[index]?.image;
    return image === undefined ? rest : { ...rest, image };
  });
}

function withNodeAffinityOf(affinity: DeepReadonly<Affinity> | undefined, old: DeepReadonly<Affinity> | undefined): Pick<Spec, 'affinity'> {
  const { nodeAffinity: _changed, ...rest } = affinity ?? {};
  const merged = { ...rest, ...(old?.nodeAffinity === undefined ? {} : { nodeAffinity: old.nodeAffinity }) };
  return Object.keys(merged).length === 0 && old === undefined ? {} : { affinity: merged };
}

function pick<T extends object, K extends keyof T>(object: T, fields: readonly K[]): Partial<Pick<T, K>> {
  return Object.fromEntries(fields.filter((field) => object[field] !== undefined).map((field) => [field, object[field]])) as Partial<
    Pick<T, K>
  >;
}

/** While gates hold a Pod back, where it may run can be narrowed, never widened (KEP-3838). */
function validateGatedUpdate(spec: Spec, old: Spec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(old.nodeSelector ?? {})) {
    if (spec.nodeSelector?.[key] === value) continue;
    errors.push(
      invalid(
        path.child('nodeSelector'),
        spec.nodeSelector ?? null,
        'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ),
    );
    break;
  }
  return [
    ...errors,
    ...validateNodeAffinityNarrowing(spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity, path.child('affinity', 'nodeAffinity')),
  ];
}

function validateNodeAffinityNarrowing(
  after: DeepReadonly<NodeAffinity> | undefined,
  before: DeepReadonly<NodeAffinity> | undefined,
  path: FieldPath,
): FieldError[] {
  const oldTerms = before?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (oldTerms.length === 0) return [];
  const at = path.child('requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms');
  const terms = after?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (terms.length !== oldTerms.length)
    return [invalid(at, terms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')];
  return terms.flatMap((term, index) =>
    narrows(term, oldTerms[index] ?? {}) ? [] : [invalid(at.index(index), term, 'only additions are allowed (no mutations or deletions)')],
  );
}

function narrows(term: DeepReadonly<NodeSelectorTerm>, old: DeepReadonly<NodeSelectorTerm>): boolean {
  if (isSemanticallyEqual(term, old)) return true;
  const isEmpty = (old.matchExpressions ?? []).length === 0 && (old.matchFields ?? []).length === 0;
  if (isEmpty) return false;
  return (['matchExpressions', 'matchFields'] as const).every((field) =>
    (old[field] ?? []).every((requirement, index) => isSemanticallyEqual(requirement, term[field]?.[index])),
  );
}
