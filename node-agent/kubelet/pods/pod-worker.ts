import type { Timer } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Client } from '../../../api/client/client.ts';
import type { EventRecorder } from '../../../api/client/events/event-recorder.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import type { Pod, PodStatus } from '../../../api/types/core-v1.ts';
import { findTime } from '../../../api/meta/time.ts';
import { containerEvents } from '../containers/container-events.ts';
import { createPodProbes, type PodProbesDependencies } from '../probes/pod-probes.ts';
import { runProbe } from '../probes/run-probe.ts';
import { printOf, type RuntimePod, readRuntimePod } from '../runtime/runtime-pod.ts';
import { isStaticPod } from '../../../api/semantics/pods/is-static-pod.ts';
import { computePodStatus } from '../status/pod-status.ts';
import { createStatusWriter, type StatusWriter } from '../status/status-writer.ts';
import { readTerminationMessage } from '../status/termination-message.ts';
import { isStarted } from './plan-containers.ts';
import { allocate } from './resize-pod.ts';
import { type Allocation, withAllocation } from '../resources/allocation.ts';
import { addressesOf } from './pod-addresses.ts';
import { createPodRecord, endTurn, type PodRecord, retryDelay, type Termination } from './pod-record.ts';
import type { PodServices } from './pod-services.ts';
import type { PodContext, PodStateName, PodStep } from './pod-state.ts';
import { interrupted, states, transitions } from './transitions.ts';

export interface PodWorkerDependencies {
  readonly services: PodServices;
  readonly client: Client;
  readonly recorder: EventRecorder;
  /** The Pod has gone through its whole life; nothing of it is left. */
  readonly onRemoved: () => void;
}

export interface EndOrder {
  readonly reason: string;
  readonly message: string;
  readonly graceSeconds: number;
  /** Message of the condition DisruptionTarget; default: the message. */
  readonly disruption?: string;
}

/** Handles one Pod from its arrival to its removal: one step at a time, each decided from the runtime's newest state. */
export interface PodWorker {
  readonly pod: () => DeepReadonly<Pod>;
  /** The Pod as the node runs it: with the resources allocated to its containers in place of those in its spec. */
  readonly allocatedPod: () => DeepReadonly<Pod>;
  /** The path of a volume of the Pod on the node, while it is mounted. */
  readonly volumePath: (name: string) => string | undefined;
  /** Whether it asks for more than the node could give it. */
  readonly waitsForResources: () => boolean;
  readonly state: () => PodStateName;
  update(pod: DeepReadonly<Pod>): void;
  /** The Pod is not in the API any more. */
  gone(): void;
  /** Takes the mirror Pod of a static Pod from the API; undefined: it has been deleted. */
  observeMirror(mirror: DeepReadonly<Pod> | undefined): void;
  /** Has the Pod fail and go: the node cannot keep it. */
  end(order: EndOrder): void;
  /** Stops the containers without a further change in the API: the next agent starts them again. */
  suspend(graceSeconds: number): void;
  /** Looks again now. */
  wake(): void;
  /** Reports the runtime's state of the Pod (printOf), which causes another step if it has changed. */
  runtimeSays(print: string): void;
  /** Sources of volumes may have changed. */
  refreshVolumes(): void;
  /** Resolves when the API has the status of the present state, or cannot be written any more. */
  statusWritten(): Promise<void>;
  /** Ends the worker, not the Pod. */
  stop(): Promise<void>;
}

export function createPodWorker(first: DeepReadonly<Pod>, dependencies: PodWorkerDependencies): PodWorker {
  return new Worker(first, dependencies);
}

/** The states of a Pod none of whose containers runs any more. */
const endStates: ReadonlySet<PodStateName> = new Set(['terminated', 'removing', 'removed']);
const startingOrRunning: ReadonlySet<PodStateName> = new Set(['preparing', 'sandboxing', 'running']);

class Worker implements PodWorker {
  readonly #dependencies: PodWorkerDependencies;
  readonly #record: PodRecord;
  /** Undefined for a static Pod of which the API shows nothing. */
  #writer: StatusWriter | undefined;
  readonly #isStatic: boolean;
  #mirrorUID: string | undefined;
  readonly #probes;
  readonly #running: Promise<void>;
  #pod: DeepReadonly<Pod>;
  #allocated: { readonly pod: DeepReadonly<Pod>; readonly allocation: Allocation; readonly result: DeepReadonly<Pod> } | undefined;
  #state: PodStateName = 'admitting';
  #isStopped = false;
  #isAwake = false;
  /** The Pod as the runtime listed it last. */
  #runtimePod: RuntimePod | undefined;
  /** The runtime's last report. */
  #said: string | undefined;
  #resume: (() => void) | undefined;
  /** Resolved when the writer has been given the status of a Pod that is over, or will not be. */
  readonly #lastStatus = Promise.withResolvers<void>();
  /** Aborted when the Pod has to stop or the agent does. */
  #abort = new AbortController();

  constructor(first: DeepReadonly<Pod>, dependencies: PodWorkerDependencies) {
    const { clock } = dependencies.services;
    this.#dependencies = dependencies;
    this.#pod = first;
    this.#record = createPodRecord(clock.nowMs());
    this.#isStatic = isStaticPod(first);
    this.#writer = this.#isStatic ? undefined : this.#createWriter(first);
    this.#probes = createPodProbes({
      clock,
      ask: (question) => this.#ask(question),
      eventsOf: (container) => this.#events(container),
      onChange: () => this.wake(),
    });
    this.#considerDeletion();
    this.#running = this.#run();
  }

  pod = () => this.#pod;
  allocatedPod = () => this.#effective();
  volumePath = (name: string) => this.#record.volumes?.get(name);
  waitsForResources = () => this.#record.pendingResize?.reason === 'Deferred';
  state = () => this.#state;

  update(pod: DeepReadonly<Pod>): void {
    const shown = ({ metadata: { labels, annotations } }: DeepReadonly<Pod>) => JSON.stringify([labels, annotations]);
    const isShownAlike = shown(pod) === shown(this.#pod);
    if (!isShownAlike) this.#record.volumesAreStale = true; // they may be in volumes
    const { generation, deletionTimestamp } = pod.metadata;
    const before = this.#pod.metadata;
    const isStatusOnly =
      isShownAlike && generation !== undefined && generation === before.generation && deletionTimestamp === before.deletionTimestamp;
    this.#pod = pod;
    this.#writer?.observe(pod);
    // Mostly the echo of this node's own writes. A condition by others may make the Pod ready, but causes no step.
    if (isStatusOnly && startingOrRunning.has(this.#state) && this.#runtimePod) {
      if (this.#resume) this.#publish(this.#runtimePod); // else it will be, after the step under way
      return;
    }
    this.#considerDeletion();
    this.wake();
  }

  gone(): void {
    this.#record.isGone = true;
    this.#writer?.stop();
    // A Pod leaves the API before its containers only by a forced deletion (grace period 0): it must not run on unseen.
    const graceSeconds = this.#isStatic ? (this.#pod.spec?.terminationGracePeriodSeconds ?? 30) : 0;
    this.#terminate({ graceSeconds, reason: 'deleted' });
  }

  observeMirror(mirror: DeepReadonly<Pod> | undefined): void {
    const { uid } = mirror?.metadata ?? {};
    if (mirror && uid === this.#mirrorUID) return this.#writer?.observe(mirror);
    this.#writer?.stop();
    this.#mirrorUID = uid;
    this.#writer = mirror && this.#createWriter(mirror);
    if (this.#pod.status) this.#writer?.set(mutableCopy<PodStatus>(this.#pod.status));
  }

  #createWriter(pod: DeepReadonly<Pod>): StatusWriter {
    const { services, client } = this.#dependencies;
    const { clock, logger } = services;
    return createStatusWriter(pod, { client, clock, logger });
  }

  wake(): void {
    this.#isAwake = true;
    this.#resume?.();
  }

  runtimeSays(print: string): void {
    this.#said = print;
    if (this.#hasNews()) this.#resume?.();
  }

  #hasNews(): boolean {
    return this.#said !== undefined && (this.#runtimePod === undefined || this.#said !== printOf(this.#runtimePod));
  }

  end({ reason, message, graceSeconds, disruption = message }: EndOrder): void {
    const record = this.#record;
    if (record.termination) return this.#shorten(graceSeconds);
    record.refusal = { reason, message };
    record.disruption = disruption;
    record.termination = { graceSeconds, reason: 'refused' };
    this.#events().event('Warning', reason, message);
    this.#abort.abort(new Error('the Pod has to end'));
    this.wake();
  }

  suspend(graceSeconds: number): void {
    // A Pod that is deleted from the API continues on its way.
    if (this.#record.isDeleted) return this.#shorten(graceSeconds);
    this.#writer?.stop();
    this.#writer = undefined;
    this.#record.termination ??= { graceSeconds, reason: 'suspended' };
    this.#shorten(graceSeconds);
    this.#abort.abort(new Error('the Pod has to stop'));
  }

  /** Shortens the time of a Pod that is ending already to this, whatever it has been promised. */
  #shorten(graceSeconds: number): void {
    const { termination } = this.#record;
    if (termination && graceSeconds < termination.graceSeconds) this.#record.termination = { ...termination, graceSeconds };
    this.wake();
  }

  refreshVolumes(): void {
    const { waiting, retryAtMs } = this.#record;
    this.#record.volumesAreStale = true;
    // The missing parts of a container's description may be there now.
    for (const [name, { reason }] of waiting) if (reason === 'CreateContainerConfigError') retryAtMs.delete(name);
    this.wake();
  }

  async statusWritten(): Promise<void> {
    // The step that ends the Pod does not set its status: the next one does, after it has read the runtime's state again.
    if (endStates.has(this.#state)) await this.#lastStatus.promise;
    await this.#writer?.written();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#lastStatus.resolve();
    this.#abort.abort(new Error('the agent stops'));
    this.#probes.stop();
    this.wake();
    await this.#running;
    this.#writer?.stop();
  }

  #considerDeletion(): void {
    const { deletionTimestamp, deletionGracePeriodSeconds } = this.#pod.metadata;
    if (!deletionTimestamp) return;
    this.#terminate({ graceSeconds: deletionGracePeriodSeconds ?? this.#pod.spec?.terminationGracePeriodSeconds ?? 30, reason: 'deleted' });
  }

  #terminate(termination: Termination): void {
    const record = this.#record;
    record.isDeleted = true;
    if (!record.termination || termination.graceSeconds < record.termination.graceSeconds) record.termination = termination;
    this.#abort.abort(new Error('the Pod has to stop'));
    this.wake();
  }

  #events(container?: string) {
    return containerEvents(this.#dependencies.recorder, this.#pod, container);
  }

  async #ask({ kind, ...question }: Parameters<PodProbesDependencies['ask']>[0]) {
    const { runtime, clock, version, tallies } = this.#dependencies.services;
    const startedMs = clock.monotonicMs();
    const outcome = await runProbe({ ...question, runtime, clock, version });
    const { name = '', namespace = '', uid = '' } = this.#pod.metadata;
    const probe = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
    const { container } = question;
    tallies.add('prober_probe_total', [probe, outcome.ok ? 'successful' : 'failed', container.name, name, namespace, uid]);
    tallies.add('prober_probe_duration_seconds', [probe, container.name, name, namespace], (clock.monotonicMs() - startedMs) / 1000);
    return outcome;
  }

  async #run(): Promise<void> {
    const { runtime, logger } = this.#dependencies.services;
    const { uid = '', name, namespace } = this.#pod.metadata;
    let isFresh = false;
    let isRestarting = false;
    while (!this.#isStopped && this.#state !== 'removed') {
      const known = isFresh && !this.#isAwake && !this.#hasNews() ? this.#runtimePod : undefined;
      this.#isAwake = false;
      this.#said = undefined;
      isFresh = false;
      let againAfterMs: number | undefined;
      try {
        const runtimePod = known ?? (await readRuntimePod(runtime, uid));
        this.#runtimePod = runtimePod;
        await this.#collectMessages(runtimePod);
        this.#allocate(runtimePod);
        this.#observe(runtimePod);
        if (!isRestarting) this.#publish(runtimePod);
        isRestarting = false;
        const leftMs = this.#enforceDeadline();
        const step = await this.#step(runtimePod);
        againAfterMs = step.againAfterMs;
        isFresh = step.leavesRuntime ?? false;
        isRestarting = step.isRestarting ?? false;
        if (leftMs !== undefined) againAfterMs = Math.min(againAfterMs ?? leftMs, leftMs);
        if (againAfterMs !== 0 && !this.#isStopped) this.#publish(runtimePod);
        this.#record.hasFailed.delete('step');
      } catch (error) {
        if (this.#isStopped) return;
        againAfterMs = retryDelay(this.#record, 'step');
        logger.warn('a step of a Pod failed', { pod: name, namespace, state: this.#state, error });
      }
      if (againAfterMs === 0) continue;
      endTurn(this.#record);
      await this.#wait(againAfterMs);
    }
    endTurn(this.#record);
    if (this.#state !== 'removed') return;
    this.#lastStatus.resolve();
    this.#probes.stop();
    this.#writer?.stop();
    this.#dependencies.onRemoved();
  }

  /** Stops a Pod that has been active for too long; else how long it still may be, if there is a limit. */
  #enforceDeadline(): number | undefined {
    const { spec, status } = this.#pod;
    const record = this.#record;
    if (spec?.activeDeadlineSeconds === undefined || record.termination) return undefined;
    const startedMs = findTime(status?.startTime) ?? record.startMs;
    const leftMs = startedMs + spec.activeDeadlineSeconds * 1000 - this.#dependencies.services.clock.nowMs();
    if (leftMs > 0) return leftMs;
    record.refusal = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
    this.#events().event('Normal', 'DeadlineExceeded', record.refusal.message);
    record.termination = { graceSeconds: spec.terminationGracePeriodSeconds ?? 30, reason: 'refused' };
    this.#abort.abort(new Error('the Pod has to stop'));
    return undefined;
  }

  async #step(runtimePod: RuntimePod): Promise<PodStep> {
    const from = interrupted(this.#state, this.#record.termination !== undefined);
    this.#state = from;
    const step = await states[from](this.#context(runtimePod));
    const { to } = step;
    if (!transitions[from].includes(to)) throw new Error(`a Pod cannot go from ${from} to ${to}`);
    if (to !== from) this.#dependencies.services.logger.debug('pod', { pod: this.#pod.metadata.name, from, to });
    this.#state = to;
    return step;
  }

  /** Allocates resources; those of a Pod that is to stop do not change any more. */
  #allocate(runtimePod: RuntimePod): void {
    if (this.#record.termination) return;
    const { services } = this.#dependencies;
    allocate({ pod: this.#pod, runtimePod, record: this.#record, services, events: this.#events() });
  }

  #effective(): DeepReadonly<Pod> {
    const { allocation } = this.#record;
    if (allocation === undefined) return this.#pod;
    if (this.#allocated?.pod !== this.#pod || this.#allocated.allocation !== allocation)
      this.#allocated = { pod: this.#pod, allocation, result: withAllocation(this.#pod, allocation) };
    return this.#allocated.result;
  }

  #context(runtimePod: RuntimePod): PodContext {
    return {
      pod: this.#effective(),
      runtimePod,
      record: this.#record,
      services: this.#dependencies.services,
      probes: this.#probes,
      events: (container) => this.#events(container),
      signal: this.#abort.signal,
      wake: () => this.wake(),
    };
  }

  #observe(runtimePod: RuntimePod): void {
    const { podIPs } = addressesOf(this.#pod, runtimePod, this.#dependencies.services);
    if (podIPs.length > 0) this.#record.podIPs = podIPs;
    if (!endStates.has(this.#state)) this.#probes.observe(this.#pod, runtimePod, podIPs[0] ?? '');
  }

  #publish(runtimePod: RuntimePod): void {
    const { clock, hostIPs } = this.#dependencies.services;
    const record = this.#record;
    const recordedIPs = this.#pod.status?.podIPs?.map(({ ip }) => ip) ?? [];
    const started = (container: Parameters<typeof isStarted>[0], id: string) =>
      isStarted(container, id, { startup: () => this.#probes.verdict('startup', id), liveness: () => undefined });
    const status = computePodStatus({
      pod: this.#effective(),
      runtimePod,
      disruption: record.disruption,
      resize: {
        pending: record.pendingResize,
        progress: record.resizing && (record.resizeProblem === undefined ? {} : { problem: record.resizeProblem }),
      },
      waiting: record.waiting,
      terminationMessage: (id) => record.terminationMessages.get(id),
      isStarted: started,
      isReady: (container, id) =>
        started(container, id) && (!container.readinessProbe || this.#probes.verdict('readiness', id) === 'success'),
      nowMs: clock.nowMs(),
      hostIPs,
      podIPs: record.podIPs.length > 0 ? record.podIPs : recordedIPs,
      startMs: record.startMs,
      isFinished: record.isFinished || endStates.has(this.#state),
      holdsDevices: this.#dependencies.services.claims.holds(this.#pod),
      refusal: record.refusal,
    });
    // The API has at most a picture of a static Pod, so the status is kept here.
    if (this.#isStatic) this.#pod = { ...this.#pod, status };
    this.#writer?.set(status);
    if (endStates.has(this.#state)) this.#lastStatus.resolve();
  }

  async #collectMessages(runtimePod: RuntimePod): Promise<void> {
    const { files, paths } = this.#dependencies.services;
    const { name = '', namespace = '', uid = '' } = this.#pod.metadata;
    for (const container of runtimePod.containers) {
      if (container.state !== 'CONTAINER_EXITED' || this.#record.terminationMessages.has(container.id)) continue;
      this.#record.terminationMessages.set(container.id, await readTerminationMessage(files, paths, { name, namespace, uid }, container));
    }
  }

  /** Until woken or the time has passed. */
  #wait(afterMs: number | undefined): Promise<void> {
    if (this.#isAwake || this.#isStopped || this.#hasNews()) return Promise.resolve();
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      this.#resume = () => {
        timer?.cancel();
        this.#resume = undefined;
        resolve();
      };
      if (afterMs !== undefined) timer = this.#dependencies.services.clock.setTimer(afterMs, () => this.#resume?.());
    });
  }
}
