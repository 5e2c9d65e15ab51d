import type { Job } from '../../types/batch-v1.ts';
import type { ConditionalDefaults } from './conditional-default.ts';

function defaultJob(job: Job): void {
  const { metadata, spec } = job;
  if (!spec) return;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  const labels = spec.template?.metadata?.labels;
  // The Job shares the labels object with the Pod template, as upstream does: labels added to the Pods are added to the Job.
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = labels;
}

export const batchDefaults: ConditionalDefaults = [['io.k8s.api.batch.v1.Job', defaultJob]];
