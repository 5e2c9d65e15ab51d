import type { Subject } from '../../types/rbac-v1.ts';
import type { ConditionalDefaults } from './conditional-default.ts';

function defaultSubject(subject: Subject): void {
  if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= 'rbac.authorization.k8s.io';
}

export const rbacDefaults: ConditionalDefaults = [['io.k8s.api.rbac.v1.Subject', defaultSubject]];
