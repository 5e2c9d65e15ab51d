import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isRestartableInitContainer } from '../../../api/semantics/pods/pod-containers.ts';
import type { Container, Pod } from '../../../api/types/core-v1.ts';
import { currentInstance, instancesOf, type RuntimeContainer, type RuntimePod } from '../runtime/runtime-pod.ts';

/** Whether a container that has ended is restarted: by its own policy and rules, else by the Pod's. */
export function shouldRestart(pod: DeepReadonly<Pod>, container: DeepReadonly<Container>, ended: RuntimeContainer): boolean {
  if (ended.state !== 'CONTAINER_EXITED') return true; // created and never started, or out of the runtime's sight
  const rules = container.restartPolicyRules ?? [];
  if (rules.some((rule) => rule.action === 'Restart' && isAbout(rule, ended.exit_code))) return true;
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && ended.exit_code !== 0);
}

/** Whether an init container has failed for good, which fails the Pod. */
export function failedInitContainer(pod: DeepReadonly<Pod>, runtimePod: RuntimePod): RuntimeContainer | undefined {
  const mainHasStarted = (pod.spec?.containers ?? []).some(({ name }) => instancesOf(runtimePod, name).length > 0);
  if (mainHasStarted) return undefined;
  for (const container of pod.spec?.initContainers ?? []) {
    const instance = currentInstance(runtimePod, container.name);
    const hasFailed = instance?.state === 'CONTAINER_EXITED' && instance.exit_code !== 0;
    if (
      hasFailed &&
      !isRestartableInitContainer(container) &&
      pod.spec?.restartPolicy === 'Never' &&
      !shouldRestart(pod, container, instance)
    ) {
      return instance;
    }
  }
  return undefined;
}

type Rule = NonNullable<DeepReadonly<Container>['restartPolicyRules']>[number];

/** Whether a rule applies to an exit code. */
export function isAbout({ exitCodes }: Rule, exitCode: number): boolean {
  return exitCodes !== undefined && (exitCodes.values ?? []).includes(exitCode) === (exitCodes.operator === 'In');
}
