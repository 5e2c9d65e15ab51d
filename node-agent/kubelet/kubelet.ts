import type { KubeletSettings } from './kubelet-settings.ts';
import { sleep } from '../../api/base/clock.ts';
import type { DeepReadonly } from '../../api/base/deep-readonly.ts';
import { createEventRecorder } from '../../api/client/events/event-recorder.ts';
import { createInformerFactory } from '../../api/client/informers/informer-factory.ts';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { secrets } from '../../api/resources/core/v1/secret.ts';
import { services } from '../../api/resources/core/v1/service.ts';
import { csiDrivers } from '../../api/resources/storage/v1/csi-driver.ts';
import { isPodFinished } from '../../api/semantics/pods/pod-phase.ts';
import type { Pod } from '../../api/types/core-v1.ts';
import type { RuntimeCapabilities } from '../cri/runtime.ts';
import type { MachineFacts } from '../linux/machine/machine.ts';
import { createAllocatable, createPodServices } from './create-pod-services.ts';
import { createDRAPlugins } from '../plugins/dra/dra-plugins.ts';
import { createOfflineSlices } from '../plugins/dra/offline-slices.ts';
import { createPodClaims } from '../plugins/dra/pod-claims.ts';
import { createDeviceManager, type DeviceManager } from '../plugins/devices/device-manager.ts';
import type { PodWorker } from './pods/pod-worker.ts';
import { shutdownRefusal } from './shutdown/shut-down.ts';
import { createNodeShutdown, type NodeShutdown } from './shutdown/node-shutdown.ts';
import { keepLeftoversAway } from './upkeep/keep-leftovers-away.ts';
import { admitOrMakeRoom } from './node/admit-or-make-room.ts';
import { createHousekeeping, type Housekeeping } from './upkeep/housekeeping.ts';
import { refuseUnderPressure } from './eviction/refuse-under-pressure.ts';
import { keepNodeLease } from './node/node-lease.ts';
import { createNodeRegistration, nodeReference, type NodeRegistration } from './node/node-registration.ts';
import { reservationProblem } from './node/node-resources.ts';
import { nodeStatus } from './node/node-status.ts';
import { runtimeProblems } from './node/runtime-problems.ts';
import type { PodServices } from './pods/pod-services.ts';
import { createPodWorkers, type PodWorkers } from './pods/pod-workers.ts';
import { podReferences } from './pods/referenced-objects.ts';
import { rotateLogs } from './upkeep/rotate-logs.ts';
import { createRuntimeWatcher, type RuntimeWatcher } from './runtime/runtime-watcher.ts';
import { planResize } from './resources/allocation.ts';
import { podsLimits, reservedCgroups } from './resources/node-allocatable.ts';
import { createNodeCgroups, type CountedPods, type NodeCgroups } from './resources/node-cgroups.ts';
import { createManifestFolder } from './static-pods/manifest-folder.ts';
import { createMirrorPods, isMirrorPod, type MirrorPods } from './static-pods/mirror-pods.ts';
import { createStaticPods, type StaticPods } from './static-pods/static-pods.ts';
import { createNodeVolumes, type NodeVolumes } from './volumes/node-volumes.ts';
import { createServiceAccountTokens } from './volumes/service-account-tokens.ts';
import { createWatchedObjects } from './volumes/watched-objects.ts';
import type { KubeletDependencies } from './kubelet-dependencies.ts';

export interface Kubelet {
  /** Runs until the signal is aborted; Pods go on after that. */
  run(signal: AbortSignal): Promise<void>;
  /** Checks the node's condition now, and writes it to the API if it has changed. */
  checkNode(): void;
  readonly shutdown: NodeShutdown;
  /** Milliseconds since the runtime was last heard of; undefined before the first time. */
  silenceMs(): number | undefined;
  /** The Pods of the node, with the agent's knowledge of them. */
  readonly workers: PodWorkers;
}

/** A runtime that was not heard of for that long is taken to be down. */
export const runtimeSilenceMs = 180_000;

/** How long the last steps of Pods are waited for when the agent ends. */
const stepPatienceMs = 2000;

export function createKubelet(dependencies: KubeletDependencies): Kubelet {
  const { settings, client, clock, logger, runtime } = dependencies;
  const abort = new AbortController();
  const recorder = createEventRecorder({ client, clock, logger, component: 'kubelet', host: settings.nodeName, signal: abort.signal });
  const informers = createInformerFactory(dependencies);
  const podInformer = informers.informer(pods, { fieldSelector: `spec.nodeName=${settings.nodeName}` });
  const serviceInformer = informers.informer(services);
  const watching = { ...dependencies, onChange: (uid: string) => workers.find(uid)?.refreshVolumes() };
  const watchedConfigMaps = createWatchedObjects(configMaps, watching);
  const watchedSecrets = createWatchedObjects(secrets, watching);
  const watcher = createRuntimeWatcher({
    runtime,
    clock,
    logger,
    onChange: (uid, print) => workers.find(uid)?.runtimeSays(print),
    async onUnreachable(_error, signal) {
      registration.wake();
      await dependencies
        .reviveRuntime(signal)
        .catch((error: unknown) => logger.error('the container runtime cannot be revived', { error }));
      registration.wake();
    },
  });
  const nodeEvent = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    recorder.event(nodeReference(settings.nodeName), type, reason, message);
  const housekeeping = createHousekeeping(dependencies, { nodeEvent, workers: () => workers, onPressure: () => registration.wake() });
  const devices = createDevices(
    dependencies,
    () => workers.all(),
    () => registration.wake(),
  );
  const shutdown = createNodeShutdown({ clock, logger, nodeEvent, workers: () => workers.all(), onChange: () => registration.wake() });
  const tellMachineProblems = tellOnChange((problems) => nodeEvent('Warning', 'KubeletSetupFailed', problems));
  const ownProblems = () => {
    const problems = dependencies.machineProblems();
    tellMachineProblems(problems.join(', '));
    return shutdown.isShuttingDown() ? [...problems, 'node is shutting down'] : problems;
  };
  const registration = createRegistration(dependencies, {
    devices,
    ownProblems,
    pressures: () => housekeeping.pressures(),
    recorder,
    watcher,
    volumesInUse: () => nodeVolumes.inUse(),
  });
  const dra = createDRAPlugins(clock, (driver) => slices.driverGone(driver));
  const isRegistered = (driver: string) => dra.find(driver) !== undefined;
  const slices = createOfflineSlices({ client, clock, logger, nodeName: settings.nodeName, isRegistered });
  const objects = { registration, configMap: watchedConfigMaps.get, secret: watchedSecrets.get };
  const allocatable = createAllocatable(dependencies, registration);
  const nodeVolumes = createNodeVolumes({
    ...dependencies,
    ...objects,
    nodeName: settings.nodeName,
    tokens: createServiceAccountTokens(dependencies),
    allocatable,
    node: () => registration.node(),
    csiDrivers: informers.informer(csiDrivers).lister,
    meetOther: dra.meet,
  });
  let hasAllPods = false;
  const nodeCgroups = nodeCgroupsOf(dependencies, () => countedPods(workers, hasAllPods), nodeEvent);
  const podServices: PodServices = {
    ...createPodServices(dependencies, { ...objects, allocatable, volumes: nodeVolumes.pods }),
    devices,
    weighClasses: () => nodeCgroups.weigh(),
    claims: createPodClaims({ ...dependencies, record: `${dependencies.paths.root}/prepared-claims.json`, findDriver: dra.find }),
    services: () => serviceInformer.lister.list(),
    async refusalOf(pod) {
      if (shutdown.isShuttingDown()) return shutdownRefusal;
      const pressure = refuseUnderPressure(pod, housekeeping.pressures());
      if (pressure) return pressure;
      const refusal = await admitOrMakeRoom(pod, {
        ...{ clock, tallies: dependencies.tallies, node: registration.node, refresh: registration.refresh },
        others: () => admittedPods(workers, pod),
        rules: { allowedUnsafeSysctls: settings.allowedUnsafeSysctls, hasAppArmor: dependencies.machine.hasAppArmor },
        findWorker: (uid) => workers.find(uid),
      });
      if (refusal) return refusal;
      const problem = await devices.allocate(pod);
      return problem === undefined ? undefined : { reason: 'UnexpectedAdmissionError', message: `Pod was rejected: ${problem}` };
    },
    resizeProblem: (pod) => planResize(pod, registration.node(), admittedPods(workers, pod)),
    statusWritten: async (uid) => workers.find(uid)?.statusWritten(),
  };
  const workers = createPodWorkers({
    services: podServices,
    client,
    recorder,
    onRemoved(uid, pod) {
      staticPods.removed(uid);
      const { name = '', namespace = '' } = pod.metadata;
      dependencies.tallies.forgetPod({ name, namespace });
      dependencies.storage.forget(uid);
      dependencies.releasePod(uid);
      podServices.userNamespaces.forget(uid);
      devices.forget(uid);
      for (const worker of workers.all()) if (worker.waitsForResources()) worker.wake();
      watchedConfigMaps.use(uid, '', new Set());
      watchedSecrets.use(uid, '', new Set());
    },
  });
  const update = (pod: DeepReadonly<Pod>) => {
    const { uid = '', namespace = '' } = pod.metadata;
    if (!isPodFinished(pod)) {
      const references = podReferences(pod);
      watchedConfigMaps.use(uid, namespace, references.configMaps);
      watchedSecrets.use(uid, namespace, references.secrets);
    }
    workers.update(pod);
  };
  const owner = () => {
    const { name, uid } = registration.node()?.metadata ?? {};
    return name && uid ? { apiVersion: 'v1', kind: 'Node', name, uid } : undefined;
  };
  const mirrors = createMirrorPods({
    ...{ client, clock, logger, owner },
    findStatic: (key) => staticPods.find(key),
    findMirror: (key) => staticPods.findMirror(key),
  });
  const staticPods: StaticPods = createStaticPods({
    start: (pod) => workers.update(pod),
    stop: (uid) => workers.gone(uid),
    onMirror: (uid, mirror) => workers.find(uid)?.observeMirror(mirror),
    mirrors,
  });
  return {
    workers,
    checkNode: () => registration.wake(),
    shutdown,
    silenceMs() {
      const lastMs = watcher.lastListedMs();
      return lastMs === undefined ? undefined : clock.monotonicMs() - lastMs;
    },
    async run(signal) {
      const { files, mounts, paths } = dependencies;
      await files.makeDirectory(paths.pods, { mode: 0o750 });
      await mounts.makeShared(paths.pods);
      await refuseReservations(dependencies);
      await nodeCgroups.start();
      slices.start();
      signal.addEventListener('abort', slices.stop, { once: true });
      const informing = informers.run(signal);
      const running = [
        informing,
        ...(await runStaticPods(dependencies, staticPods, mirrors, signal)),
        registration.run(signal),
        nodeVolumes.run(signal),
        keepNodeLease({ client, clock, logger, nodeName: settings.nodeName, owner }, signal),
        watcher.run(signal),
        housekeeping.run(signal),
        nodeCgroups.run(signal),
        devices.run(signal).catch((error: unknown) => logger.error('device plugins cannot register', { error })),
        rotateLogs({ ...dependencies, podLogs: paths.podLogs }, signal),
      ];
      try {
        // Services first: their variables belong into the very first container.
        await Promise.all([podInformer.synced(signal), serviceInformer.synced(signal)]);
        podInformer.addHandler({
          onAdd: (pod) => (isMirrorPod(pod) ? staticPods.mirrorSeen(pod) : update(pod)),
          onUpdate(pod, old) {
            if (isMirrorPod(old) && pod.metadata.uid !== old.metadata.uid) staticPods.mirrorGone(old);
            if (isMirrorPod(pod)) staticPods.mirrorSeen(pod);
            else replace(workers, update, pod, old);
          },
          onDelete: (pod) => (isMirrorPod(pod) ? staticPods.mirrorGone(pod) : workers.gone(pod.metadata.uid ?? '')),
        });
        hasAllPods = true;
        await keepLeftoversAway(
          {
            ...dependencies,
            isKnown: (uid) => workers.find(uid) !== undefined,
            async listBoundPods() {
              const { items } = await client(pods).list({ fieldSelector: `spec.nodeName=${settings.nodeName}` });
              return new Set(items.map(({ metadata }) => metadata.uid ?? ''));
            },
            tearDownVolumes: (uid) => nodeVolumes.pods.tearDown(uid),
          },
          signal,
        );
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      await Promise.allSettled(running);
      // A step that stops a container takes as long as its Pod's grace period; the runtime continues with it.
      await Promise.race([workers.stop(), sleep(clock, stepPatienceMs)]);
      watchedConfigMaps.stop();
      watchedSecrets.stop();
      abort.abort();
    },
  };
}

function createDevices(dependencies: KubeletDependencies, workers: () => readonly PodWorker[], onChange: () => void): DeviceManager {
  const { settings, tallies } = dependencies;
  return createDeviceManager({
    ...{ ...dependencies, onChange },
    directory: settings.devicePluginDirectory,
    holders: () => new Set(workers().flatMap((worker) => (isOver(worker) ? [] : (worker.pod().metadata.uid ?? [])))),
    onRegistered: (resource) => tallies.add('kubelet_device_plugin_registration_total', [resource]),
  });
}

/** Manifests are read before anything of the API, which may itself run as a static Pod. */
async function runStaticPods(
  { settings, files, clock, logger }: KubeletDependencies,
  staticPods: StaticPods,
  mirrors: MirrorPods,
  signal: AbortSignal,
): Promise<Promise<void>[]> {
  const { manifestDirectory: directory, nodeName } = settings;
  if (directory === undefined) return [];
  await files.makeDirectory(directory);
  const folder = createManifestFolder({ files, clock, logger, directory, nodeName, onPods: (pods) => staticPods.set(pods) });
  await folder.read();
  return [folder.run(signal), mirrors.run(signal)];
}

/** Reports a text when it changes, unless it is empty. */
function tellOnChange(tell: (text: string) => void): (text: string) => void {
  let told = '';
  return (text) => {
    if (text !== told && text !== '') tell(text);
    told = text;
  };
}

/** A Pod of the same name that took the place of another between two looks is another Pod. */
function replace(workers: PodWorkers, update: (pod: DeepReadonly<Pod>) => void, pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): void {
  if (pod.metadata.uid !== old.metadata.uid) workers.gone(old.metadata.uid ?? '');
  update(pod);
}

function isOver(worker: PodWorker): boolean {
  return ['terminated', 'removing', 'removed'].includes(worker.state());
}

function admittedPods(workers: PodWorkers, pod: DeepReadonly<Pod>): DeepReadonly<Pod>[] {
  return countedPods(workers, true).pods.filter((other) => other.metadata.uid !== pod.metadata.uid);
}

/** The Pods that were admitted and are not terminated. */
function countedPods(workers: PodWorkers, hasAllPods: boolean): CountedPods {
  const all = workers.all();
  const pods = all
    .filter((worker) => worker.state() !== 'admitting' && !isOver(worker))
    .map((worker) => worker.allocatedPod())
    .filter((pod) => !isPodFinished(pod));
  return { pods, isComplete: hasAllPods && all.every((worker) => worker.state() !== 'admitting') };
}

/** Reserving more than there is would leave a node without room for any Pod. */
async function refuseReservations({ machine, settings, files, paths }: KubeletDependencies): Promise<void> {
  const storageBytes = (await files.capacity(paths.pods)).capacityBytes;
  const problem = reservationProblem({ ...settings, machine, storageBytes });
  if (problem !== undefined) throw new Error(problem);
}

function nodeCgroupsOf(
  dependencies: KubeletDependencies,
  counted: () => CountedPods,
  event: (type: 'Normal' | 'Warning', reason: string, message: string) => void,
): NodeCgroups {
  const { machine, settings, cgroupNames: names, limitsHugePages } = dependencies;
  const capacity = { cpu: machine.cpus * 1000, memory: machine.memoryBytes, pid: machine.maxProcesses };
  return createNodeCgroups({
    ...{ ...dependencies, names, counted, event },
    podsLimits: podsLimits(capacity, settings.allocatable, machine.hugePages, limitsHugePages),
    reserved: reservedCgroups(settings.allocatable),
  });
}

function createRegistration(
  dependencies: KubeletDependencies,
  {
    devices,
    ownProblems,
    pressures,
    recorder,
    watcher,
    volumesInUse,
  }: {
    readonly devices: DeviceManager;
    readonly ownProblems: () => readonly string[];
    readonly pressures: Housekeeping['pressures'];
    readonly recorder: ReturnType<typeof createEventRecorder>;
    readonly watcher: RuntimeWatcher;
    readonly volumesInUse: NodeVolumes['inUse'];
  },
): NodeRegistration {
  const { settings, machine, runtime, images, files, paths, clock, usage } = dependencies;
  let runtimeVersion = '';
  let capabilities: RuntimeCapabilities = { handlers: [], supplementalGroupsPolicy: false };
  const problems = async (): Promise<string[]> => {
    const lastMs = watcher.lastListedMs();
    try {
      const version = await runtime.version();
      runtimeVersion = `${version.runtime_name}://${version.runtime_version}`;
      capabilities = await runtime.capabilities();
      const found = runtimeProblems(await runtime.status(), await runtime.cgroupDriver(), dependencies.cgroupNames.driver);
      if (lastMs !== undefined && clock.monotonicMs() - lastMs > runtimeSilenceMs) found.push('PLEG is not healthy');
      return found;
    } catch {
      return ['container runtime is down'];
    }
  };
  return createNodeRegistration({
    ...dependencies,
    recorder,
    nodeName: settings.nodeName,
    podCIDR: settings.podCIDR,
    taints: settings.taints,
    labels: nodeLabels(settings, machine),
    status: async (previous) =>
      nodeStatus({
        ...settings,
        machine: { ...machine, swapBytes: usage.lastSwapBytes() ?? machine.swapBytes },
        kubeletVersion: settings.version,
        problems: [...(await problems()), ...ownProblems()],
        pressures: pressures(),
        devices: devices.capacity(),
        runtimeVersion,
        capabilities,
        volumesInUse: await volumesInUse(),
        images: await images.listImages().catch(() => []),
        storageBytes: (await files.capacity(paths.pods)).capacityBytes,
        nowMs: clock.nowMs(),
        previous,
      }),
  });
}

function nodeLabels({ nodeName, labels }: KubeletSettings, { architecture }: MachineFacts): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
    ...labels,
  };
}
