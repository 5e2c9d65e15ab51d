import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../../resource/columns.ts';
import { invalidFor, validateChoice, validateEach, validateRequired } from '../../../resource/field-rules.ts';
import type { PrinterColumn } from '../../../resource/resource-definition.ts';
import type { ClusterRoleBinding, RoleBinding, Subject } from '../../../types/rbac-v1.ts';
import { type FieldError, invalid, notSupported, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { dns1123SubdomainProblems, pathSegmentNameProblems } from '../../../validation/names.ts';

type Binding = DeepReadonly<RoleBinding | ClusterRoleBinding>;

const rbacGroup = 'rbac.authorization.k8s.io';

function subjectNames({ subjects = [] }: Binding, kind: string): string {
  return subjects
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' && namespace ? `${namespace}/${name}` : name))
    .join(', ');
}

/** Columns of RoleBindings and ClusterRoleBindings. */
export const bindingColumns: readonly PrinterColumn<RoleBinding>[] = [
  nameColumn,
  textColumn('Role', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  wideColumn('Users', (binding) => subjectNames(binding, 'User')),
  wideColumn('Groups', (binding) => subjectNames(binding, 'Group')),
  wideColumn('ServiceAccounts', (binding) => subjectNames(binding, 'ServiceAccount')),
];

export function validateBinding({ roleRef, subjects }: Binding, isNamespaced: boolean, path: FieldPath): FieldError[] {
  const at = path.child('roleRef');
  const { apiGroup = '', kind = '', name = '' } = roleRef ?? {};
  return [
    ...(apiGroup === rbacGroup ? [] : [notSupported(at.child('apiGroup'), apiGroup, [rbacGroup])]),
    ...validateChoice(at.child('kind'), kind, isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'], 'unsupported'),
    ...validateRequired(at.child('name'), name, pathSegmentNameProblems),
    ...validateEach(subjects, path.child('subjects'), (subject, subjectPath) => validateSubject(subject, isNamespaced, subjectPath)),
  ];
}

/** Refuses a change of the bound role: users who may edit subjects could otherwise take any role. */
export function validateBindingUpdate(binding: Binding, old: Binding, path: FieldPath): FieldError[] {
  return isSemanticallyEqual(binding.roleRef, old.roleRef)
    ? []
    : [invalid(path.child('roleRef'), binding.roleRef, 'cannot change roleRef')];
}

function validateSubject(
  { kind, name, namespace, apiGroup = '' }: DeepReadonly<Subject>,
  isNamespaced: boolean,
  at: FieldPath,
): FieldError[] {
  const errors = name ? [] : [required(at.child('name'))];
  if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== rbacGroup) errors.push(notSupported(at.child('apiGroup'), apiGroup, [rbacGroup]));
    return errors;
  }
  if (kind !== 'ServiceAccount') return [...errors, notSupported(at.child('kind'), kind ?? '', ['ServiceAccount', 'User', 'Group'])];
  if (name) errors.push(...invalidFor(at.child('name'), name, dns1123SubdomainProblems(name)));
  if (apiGroup !== '') errors.push(notSupported(at.child('apiGroup'), apiGroup, ['']));
  if (!isNamespaced && !namespace) errors.push(required(at.child('namespace')));
  return errors;
}
