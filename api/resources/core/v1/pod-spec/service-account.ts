import type { PodSpec, PodTemplateSpec } from '../../../../types/core-v1.ts';

/** `serviceAccount` is the old name of `serviceAccountName`; whichever is written, readers find both. Modifies. */
export function mirrorServiceAccount(spec: PodSpec | undefined): void {
  const name = spec?.serviceAccountName || spec?.serviceAccount;
  if (!spec || !name) return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

/** Mirrors the service account as mirrorServiceAccount does, in a workload's template. */
export function canonicalizeTemplate(template: PodTemplateSpec | undefined): void {
  mirrorServiceAccount(template?.spec);
}
