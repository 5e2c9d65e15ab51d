import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { type AnyContainer, isRestartableInitContainer } from '../../../api/semantics/pods/pod-containers.ts';
import type { Container, Pod } from '../../../api/types/core-v1.ts';
import { findStartOver } from './restart-all.ts';
import { containerHash } from '../containers/container-hash.ts';
import { runtimeAnnotations } from '../runtime/labels.ts';
import {
  activeSandbox,
  currentInstance,
  instancesOf,
  isRunning,
  nanosToMs,
  type RuntimeContainer,
  type RuntimePod,
} from '../runtime/runtime-pod.ts';
import { failedInitContainer, shouldRestart } from '../containers/restart-rules.ts';

/** Results of probes of running containers, by container id. */
interface ProbeVerdicts {
  /** Absent where the container has no such probe or it has not come to a verdict. */
  readonly startup: (containerID: string) => 'success' | 'failure' | undefined;
  readonly liveness: (containerID: string) => 'success' | 'failure' | undefined;
}

export interface PlanInput {
  readonly pod: DeepReadonly<Pod>;
  readonly runtimePod: RuntimePod;
  readonly probes: ProbeVerdicts;
  /** Whether a container that has ended was killed to be started again: its exit code does not matter then. */
  readonly isRestarting: (containerID: string) => boolean;
  /** The time before which a container that ended at `endedMs` must not start again. Undefined: it may now. */
  readonly backoffUntil: (container: string, endedMs: number) => number | undefined;
}

interface Kill {
  readonly id: string;
  readonly name: string;
  /** Message of the Killing event. */
  readonly message: string;
  /** Whether it is started again whatever code it ends with. */
  readonly restarts: boolean;
}

export interface Wait {
  readonly name: string;
  readonly untilMs: number;
}

/** The next actions on a Pod's containers. */
export type PodPlan =
  | { readonly kind: 'sandbox'; readonly attempt: number; readonly stop: readonly string[] }
  | { readonly kind: 'containers'; readonly kills: readonly Kill[]; readonly starts: readonly string[]; readonly waits: readonly Wait[] }
  /** All containers have ended and will not be restarted. */
  | { readonly kind: 'finished' };

/**
 * The one decision about a Pod that is meant to run, made from the runtime's truth alone and repeated after every change:
 * a sandbox first, then init containers one after another, then everything else at once.
 */
export function planContainers(input: PlanInput): PodPlan {
  const startOver = findStartOver(input.pod, input.runtimePod);
  if (!startOver) return planStep(input);
  const { leftovers, runtimePod } = startOver;
  if (leftovers.length === 0) return planStep({ ...input, runtimePod, before: input.runtimePod });
  const kills = leftovers.map(({ id, metadata: { name } }) => ({
    id,
    name,
    message: `Container ${name} will be restarted with all others`,
    restarts: false, // the whole Pod starts over
  }));
  return { kind: 'containers', kills, starts: [], waits: [] };
}

/** `before`: with what ran before the Pod was started over. */
type StepInput = PlanInput & { readonly before?: RuntimePod };

function planStep(input: StepInput): PodPlan {
  const { pod, runtimePod } = input;
  if (isFinished(input)) return { kind: 'finished' };
  const sandbox = activeSandbox(runtimePod);
  const lacksAddress = sandbox && !pod.spec?.hostNetwork && !sandbox.network?.ip;
  if (!sandbox || lacksAddress) {
    const newest = runtimePod.sandboxes[0];
    return {
      kind: 'sandbox',
      attempt: newest ? newest.metadata.attempt + 1 : 0,
      stop: runtimePod.sandboxes.filter(({ state }) => state === 'SANDBOX_READY').map(({ id }) => id),
    };
  }
  const orders = { kills: [] as Kill[], starts: [] as string[], waits: [] as Wait[] };
  const isInitialized = planInitContainers(input, orders);
  for (const container of pod.spec?.ephemeralContainers ?? []) {
    if (instancesOf(runtimePod, container.name).length === 0) orders.starts.push(container.name);
  }
  if (isInitialized) for (const container of pod.spec?.containers ?? []) planContainer(input, container, orders);
  return { kind: 'containers', ...orders };
}

interface Orders {
  readonly kills: Kill[];
  readonly starts: string[];
  readonly waits: Wait[];
}

/** Whether the main containers may run. Sidecars are kept alive whatever their place. */
function planInitContainers(input: StepInput, orders: Orders): boolean {
  const { pod, runtimePod } = input;
  const mainHasStarted = (pod.spec?.containers ?? []).some(({ name }) => currentInstance(runtimePod, name) !== undefined);
  for (const container of pod.spec?.initContainers ?? []) {
    const instance = currentInstance(runtimePod, container.name);
    if (isRestartableInitContainer(container)) {
      planContainer(input, container, orders);
      const hasStarted = isRunning(instance) && instance !== undefined && isStarted(container, instance.id, input.probes);
      if (!hasStarted && !mainHasStarted) return false;
      continue;
    }
    if (mainHasStarted) continue;
    if (instance?.state === 'CONTAINER_EXITED' && instance.exit_code === 0) continue;
    if (!isRunning(instance)) startOrWait(input, container.name, instance, orders);
    return false;
  }
  return true;
}

/** Whether a running container has passed its startup probe, if it has one. */
export function isStarted(container: AnyContainer, id: string, probes: ProbeVerdicts): boolean {
  return container.startupProbe === undefined || probes.startup(id) === 'success';
}

function planContainer(input: StepInput, container: DeepReadonly<Container>, orders: Orders): void {
  const { runtimePod, probes, pod } = input;
  const { name } = container;
  const instance = currentInstance(runtimePod, name) ?? instancesOf(runtimePod, name)[0];
  if (instance && isRunning(instance) && instance === currentInstance(runtimePod, name)) {
    const kill = (reason: string, restarts: boolean) => {
      const message = `Container ${name} ${reason}${restarts ? ', will be restarted' : ''}`;
      orders.kills.push({ id: instance.id, name, message, restarts });
    };
    const restartsFailures = (container.restartPolicy ?? pod.spec?.restartPolicy) !== 'Never';
    if (instance.annotations[runtimeAnnotations.hash] !== containerHash(container)) kill('definition changed', true);
    else if (probes.startup(instance.id) === 'failure') kill('failed startup probe', restartsFailures);
    else if (probes.liveness(instance.id) === 'failure') kill('failed liveness probe', restartsFailures);
    return;
  }
  if (!instance || input.isRestarting(instance.id) || shouldRestart(pod, container, instance)) startOrWait(input, name, instance, orders);
}

function startOrWait({ backoffUntil, before }: StepInput, name: string, newest: RuntimeContainer | undefined, orders: Orders): void {
  if (newest?.state === 'CONTAINER_UNKNOWN') {
    // The runtime has lost sight of it, as at its start when a shim answers too late: it may be alive.
    const message = `Container ${name} is in unknown state, try killing it before restart`;
    orders.kills.push({ id: newest.id, name, message, restarts: true });
    return;
  }
  const ended = newest ?? (before && instancesOf(before, name)[0]);
  const untilMs = ended?.state === 'CONTAINER_EXITED' ? backoffUntil(name, nanosToMs(ended.finished_at)) : undefined;
  if (untilMs === undefined) orders.starts.push(name);
  else orders.waits.push({ name, untilMs });
}

function isFinished({ pod, runtimePod, isRestarting }: PlanInput): boolean {
  if (failedInitContainer(pod, runtimePod)) return true;
  return (pod.spec?.containers ?? []).every((container) => {
    const newest = instancesOf(runtimePod, container.name)[0];
    return (
      newest !== undefined && newest.state === 'CONTAINER_EXITED' && !isRestarting(newest.id) && !shouldRestart(pod, container, newest)
    );
  });
}
