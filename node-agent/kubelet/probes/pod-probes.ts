import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { allContainers, type AnyContainer, findContainerStatus } from '../../../api/semantics/pods/pod-containers.ts';
import type { Pod, Probe } from '../../../api/types/core-v1.ts';
import type { ContainerEvents } from '../containers/container-events.ts';
import { containerIDOf, isRunning, nanosToMs, type RuntimeContainer, type RuntimePod } from '../runtime/runtime-pod.ts';
import type { ProbeOutcome } from './run-probe.ts';

type ProbeKind = 'startup' | 'liveness' | 'readiness';
type ProbeVerdict = 'success' | 'failure';

export interface PodProbesDependencies {
  readonly clock: Clock;
  readonly ask: (question: {
    readonly kind: ProbeKind;
    readonly probe: DeepReadonly<Probe>;
    readonly container: AnyContainer;
    readonly containerID: string;
    readonly podIP: string;
  }) => Promise<ProbeOutcome>;
  readonly eventsOf: (container: string) => ContainerEvents;
  /** A verdict has changed. */
  readonly onChange: () => void;
}

/** The probes of a Pod's containers: one loop for each running container and probe, which ends with the container. */
export interface PodProbes {
  /** Starts new probes and ends those of containers that are gone. */
  observe(pod: DeepReadonly<Pod>, runtimePod: RuntimePod, podIP: string): void;
  verdict(kind: ProbeKind, containerID: string): ProbeVerdict | undefined;
  /** From now on only readiness is asked for: a Pod that is being stopped must not be killed for being unwell. */
  onlyReadiness(): void;
  stop(): void;
}

interface Loop {
  readonly abort: AbortController;
  readonly kind: ProbeKind;
  verdict: ProbeVerdict | undefined;
}

const kinds: readonly ProbeKind[] = ['startup', 'liveness', 'readiness'];

export function createPodProbes(dependencies: PodProbesDependencies): PodProbes {
  const loops = new Map<string, Loop>();
  let isTerminating = false;
  const stopLoop = (key: string) => {
    loops.get(key)?.abort.abort();
    loops.delete(key);
  };
  const verdict = (kind: ProbeKind, containerID: string) => loops.get(`${containerID} ${kind}`)?.verdict;
  const context = { podIP: '' };
  const start = (
    kind: ProbeKind,
    probe: DeepReadonly<Probe>,
    container: AnyContainer,
    instance: RuntimeContainer,
    pod: DeepReadonly<Pod>,
    containerID: string,
  ) => {
    const recorded = findContainerStatus(pod, container.name);
    // After a restart of the agent the recorded result of the same container is still valid.
    const isKnown = recorded?.containerID === containerID;
    const initial: Record<ProbeKind, ProbeVerdict | undefined> = {
      startup: isKnown && recorded.started ? 'success' : undefined,
      liveness: undefined,
      readiness: isKnown && recorded.ready ? 'success' : 'failure',
    };
    const loop: Loop = { abort: new AbortController(), kind, verdict: initial[kind] };
    loops.set(`${instance.id} ${kind}`, loop);
    if (kind === 'startup' && loop.verdict === 'success') return;
    const mayAsk = () => kind === 'startup' || container.startupProbe === undefined || verdict('startup', instance.id) === 'success';
    void probeLoop(dependencies, { loop, probe, container, instance, mayAsk, podIP: () => context.podIP });
  };
  return {
    observe(pod, runtimePod, podIP) {
      context.podIP = podIP;
      const wanted = new Set<string>();
      for (const container of allContainers(pod.spec)) {
        const instance = runtimePod.containers.find((candidate) => candidate.metadata.name === container.name && isRunning(candidate));
        if (!instance) continue;
        const probes = { startup: container.startupProbe, liveness: container.livenessProbe, readiness: container.readinessProbe };
        for (const kind of kinds) {
          const probe = probes[kind];
          if (!probe || (isTerminating && kind !== 'readiness')) continue;
          const key = `${instance.id} ${kind}`;
          wanted.add(key);
          if (!loops.has(key)) start(kind, probe, container, instance, pod, containerIDOf(runtimePod, instance.id));
        }
      }
      for (const key of loops.keys()) if (!wanted.has(key)) stopLoop(key);
    },
    verdict,
    onlyReadiness() {
      isTerminating = true;
      for (const [key, { kind }] of loops) if (kind !== 'readiness') stopLoop(key);
    },
    stop() {
      for (const key of loops.keys()) stopLoop(key);
    },
  };
}

interface ProbeLoop {
  readonly loop: Loop;
  readonly probe: DeepReadonly<Probe>;
  readonly container: AnyContainer;
  readonly instance: RuntimeContainer;
  readonly mayAsk: () => boolean;
  readonly podIP: () => string;
}

const titles = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' };
/** How often a probe that waits for the startup probe looks whether it may begin. */
const lookMs = 100;

async function probeLoop(
  dependencies: PodProbesDependencies,
  { loop, probe, container, instance, mayAsk, podIP }: ProbeLoop,
): Promise<void> {
  const { clock, ask, eventsOf, onChange } = dependencies;
  const { signal } = loop.abort;
  const { periodSeconds = 10, successThreshold = 1, failureThreshold = 3, initialDelaySeconds = 0 } = probe;
  const pause = async (ms: number) => {
    await sleep(clock, ms, signal).catch(() => undefined); // aborted: the loop ends
  };
  await pause(nanosToMs(instance.started_at) + initialDelaySeconds * 1000 - clock.nowMs());
  let streak = 0;
  let last: boolean | undefined;
  while (!signal.aborted) {
    if (!mayAsk()) {
      await pause(lookMs);
      continue;
    }
    const askedMs = clock.monotonicMs();
    const { ok, warns = false, output } = await ask({ kind: loop.kind, probe, container, containerID: instance.id, podIP: podIP() });
    if (signal.aborted) return;
    streak = ok === last ? streak + 1 : 1;
    last = ok;
    if (!ok) eventsOf(container.name).event('Warning', 'Unhealthy', `${titles[loop.kind]} probe failed: ${output}`);
    if (warns) eventsOf(container.name).event('Warning', 'ProbeWarning', `${titles[loop.kind]} probe warning: ${output}`);
    if (streak >= (ok ? successThreshold : failureThreshold)) {
      const verdict = ok ? 'success' : 'failure';
      const hasChanged = loop.verdict !== verdict;
      loop.verdict = verdict;
      if (hasChanged) onChange();
      // The container is about to be killed, or has started: nothing more to find out.
      if ((loop.kind !== 'readiness' && !ok) || (loop.kind === 'startup' && ok)) return;
    }
    await pause(periodSeconds * 1000 - (clock.monotonicMs() - askedMs));
  }
}
