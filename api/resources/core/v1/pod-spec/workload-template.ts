import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { isEmptyLabelSelector, matchesLabelSelector } from '../../../../selectors/label-selectors.ts';
import type { PodTemplateSpec } from '../../../../types/core-v1.ts';
import type { LabelSelector, ObjectMeta } from '../../../../types/meta-v1.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../../validation/field-error.ts';
import { FieldPath } from '../../../../validation/field-path.ts';
import { isValidLabelSelector, validateLabelSelector } from '../../../../validation/labels.ts';
import { dns1123LabelProblems } from '../../../../validation/names.ts';
import { validatePodTemplate } from './pod-template.ts';
import { podWarnings } from './pod-warnings.ts';

export const selectorMismatch = '`selector` does not match template `labels`';

/** The selector of a workload: there, valid, and not empty. */
export function validateWorkloadSelector(
  selector: DeepReadonly<LabelSelector> | undefined,
  emptyMessage: string,
  path: FieldPath,
  invalidMessage = 'invalid label selector',
): FieldError[] {
  if (selector === undefined) return [required(path)];
  const errors = validateLabelSelector(selector, path);
  if (isEmptyLabelSelector(selector)) errors.push(invalid(path, selector, emptyMessage));
  // Upstream reports this a second time when it converts the selector.
  if (!isValidLabelSelector(selector)) errors.push(invalid(path, selector, invalidMessage));
  return errors;
}

/**
 * Validates the Pod template of a workload: the selector must match its labels, and its restartPolicy must be Always. `kind` is used in
 * messages.
 */
export function validateWorkloadTemplate(
  template: DeepReadonly<PodTemplateSpec> | undefined,
  selector: DeepReadonly<LabelSelector> | undefined,
  kind: string,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const labels = template?.metadata?.labels;
  if (!isValidLabelSelector(selector)) return [];
  if (!matchesLabelSelector(selector, labels)) errors.push(invalid(path.child('metadata', 'labels'), labels, selectorMismatch));
  errors.push(...validatePodTemplate(template ?? {}, path));
  return [...errors, ...validateRunsForEver(template, kind, path)];
}

export function validateRunsForEver(template: DeepReadonly<PodTemplateSpec> | undefined, kind: string, path: FieldPath): FieldError[] {
  const { restartPolicy = '', activeDeadlineSeconds } = template?.spec ?? {};
  const errors: FieldError[] = [];
  if (restartPolicy !== 'Always') errors.push(notSupported(path.child('spec', 'restartPolicy'), restartPolicy, ['Always']));
  if (activeDeadlineSeconds !== undefined) {
    errors.push(forbidden(path.child('spec', 'activeDeadlineSeconds'), `activeDeadlineSeconds in ${kind} is not Supported`));
  }
  return errors;
}

/** A warning for a name that is valid but cannot be a host name. `use` tells what the name is used for. */
export function hostnameWarnings(name: string | undefined, use: string): string[] {
  const problems = dns1123LabelProblems(name ?? '');
  if (!name || problems.length === 0) return [];
  return [
    `metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
  ];
}

/** Warnings of an object that makes Pods: of its template where that is new, of its name where the object is. */
export function workloadWarnings(
  object: { readonly metadata: DeepReadonly<ObjectMeta> },
  old: { readonly metadata: DeepReadonly<ObjectMeta> } | undefined,
  template: DeepReadonly<PodTemplateSpec> | undefined,
  options: { readonly at?: FieldPath; readonly namesHosts?: boolean } = {},
): string[] {
  if (old !== undefined && old.metadata.generation === object.metadata.generation) return [];
  const { at = FieldPath.root.child('spec', 'template'), namesHosts = true } = options;
  const ofName = old === undefined && namesHosts ? hostnameWarnings(object.metadata.name, 'Pod names and hostnames') : [];
  return [...ofName, ...podWarnings(template ?? {}, at)];
}
