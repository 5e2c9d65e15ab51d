import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { jobs } from '../../../api/resources/batch/v1/job.ts';
import type { Job } from '../../../api/types/batch-v1.ts';
import type { Container, Pod } from '../../../api/types/core-v1.ts';
import { podFromTemplate } from '../runtime/pod-control.ts';
import { indexFailureCountKey, indexKey, trackingFinalizer } from './job-pods.ts';

const indexVariable = 'JOB_COMPLETION_INDEX';

/** The next Pod of a Job; for an Indexed Job, the Pod of the index. */
export function podOfJob(job: DeepReadonly<Job>, index?: { readonly index: number; readonly failures: number }): Pod {
  const pod = podFromTemplate(job.spec?.template ?? {}, job, jobs);
  pod.metadata.finalizers = [...(pod.metadata.finalizers ?? []).filter((present) => present !== trackingFinalizer), trackingFinalizer];
  if (index === undefined) return pod;
  const text = String(index.index);
  pod.metadata.generateName = `${job.metadata.name}-${text}-`;
  pod.metadata.annotations = { ...pod.metadata.annotations, [indexKey]: text };
  if (job.spec?.backoffLimitPerIndex !== undefined) pod.metadata.annotations[indexFailureCountKey] = String(index.failures);
  pod.metadata.labels = { ...pod.metadata.labels, [indexKey]: text };
  if (pod.spec === undefined) return pod;
  pod.spec.hostname = `${job.metadata.name}-${text}`;
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) addIndexVariable(container);
  return pod;
}

function addIndexVariable(container: Container): void {
  if (container.env?.some(({ name }) => name === indexVariable)) return;
  const fieldPath = `metadata.labels['${indexKey}']`;
  container.env = [...(container.env ?? []), { name: indexVariable, valueFrom: { fieldRef: { fieldPath } } }];
}
