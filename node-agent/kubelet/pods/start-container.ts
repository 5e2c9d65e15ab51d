import { serviceVariables } from '../containers/service-variables.ts';
import { ContainerConfigError } from '../containers/config-error.ts';
import { containerConfig } from '../containers/container-config.ts';
import { makeEnvironment } from '../containers/environment.ts';
import { runHook } from '../containers/lifecycle-hooks.ts';
import { ImageError } from '../images/image-error.ts';
import type { PullOrder } from '../images/image-puller.ts';
import type { ContainerConfig, Image, SandboxConfig } from '../../cri/messages.ts';
import { activeSandbox, instancesOf, nanosToMs, restartCountOf } from '../runtime/runtime-pod.ts';
import { containerDevices } from '../volumes/container-devices.ts';
import { withDevices } from '../../plugins/devices/with-devices.ts';
import { containerMounts, type MountedImage } from '../volumes/container-mounts.ts';
import { killContainer } from './kill-container.ts';
import { addressesOf } from './pod-addresses.ts';
import { crashKey, runtimeHandlerOf, sandboxConfigOf, userRangeOf } from './pod-plan.ts';
import { endTurn, retryDelay } from './pod-record.ts';
import type { PodContext } from './pod-state.ts';
import { referencedObjects } from './referenced-objects.ts';
import { type AnyContainer, findContainerStatus } from '../../../api/semantics/pods/pod-containers.ts';

/** Why a start failed: the reason and message that the container's status shows. */
class StartError extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Brings up one instance of a container: image, description, creation, start, postStart hook. True if it runs; else the
 * record says why it waits and when to try again.
 */
export async function startContainer(context: PodContext, container: AnyContainer): Promise<boolean> {
  const { pod, runtimePod, record, services, events } = context;
  const { name } = container;
  const newest = instancesOf(runtimePod, name)[0];
  const ephemeral = pod.spec?.ephemeralContainers?.some((candidate) => candidate.name === name) ?? false;
  try {
    const sandbox = activeSandbox(runtimePod);
    if (!sandbox) return false;
    const description = await sandboxConfigOf(context, sandbox.metadata.attempt);
    const order: PullOrder = {
      pod,
      container,
      sandbox: description,
      pullSecrets: await pullSecrets(context),
      events: events(name),
      signal: context.signal,
      onPull: () => endTurn(record),
    };
    const image = await services.puller.ensure(order);
    const volumeImages = await pullVolumeImages(context, order);
    if (newest?.state === 'CONTAINER_EXITED') services.crashBackoff.next(crashKey(pod.metadata.uid, name), nanosToMs(newest.finished_at));
    const config = withDevices(
      await describe(context, container, image, volumeImages),
      services.devices.devicesOf(pod, name),
      services.claims.devicesOf(pod, name),
    );
    await prepareDevices(context, name);
    const logFile = `${description.log_directory}/${config.log_path}`;
    await services.files.makeDirectory(logFile.slice(0, logFile.lastIndexOf('/')), { mode: 0o755 });
    const id = await create(context, sandbox.id, config, description);
    await start(context, container, id);
    record.waiting.delete(name);
    record.retryAtMs.delete(name);
    record.hasFailed.delete(name);
    return true;
  } catch (error) {
    if (context.signal.aborted) return false;
    if (!(error instanceof ImageError || error instanceof StartError)) throw error;
    if (error instanceof ImageError) events(name).event('Warning', 'Failed', `Error: ${error.reason}`);
    record.waiting.set(name, { reason: error.reason, message: error.message });
    const retryAt = error instanceof ImageError ? error.retryAtMs : undefined;
    const delay = retryDelay(record, name);
    record.retryAtMs.set(name, retryAt ?? services.clock.nowMs() + (ephemeral ? 24 * 3600 * 1000 : delay));
    return false;
  }
}

async function prepareDevices({ pod, services, events }: PodContext, name: string): Promise<void> {
  try {
    await services.devices.prepareStart(pod, name);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    events(name).event('Warning', 'Failed', `Error: ${problem}`);
    throw new StartError('PreStartHookError', problem);
  }
}

async function pullSecrets({ pod, services }: PodContext) {
  const names = (pod.spec?.imagePullSecrets ?? []).map(({ name = '' }) => name);
  const found = await Promise.all(names.map((name) => services.secret(pod.metadata.namespace ?? '', name)));
  return found.filter((secret) => secret !== undefined);
}

/** The images that the container has mounted as volumes, by the volumes' names. */
async function pullVolumeImages({ pod, services }: PodContext, order: PullOrder): Promise<ReadonlyMap<string, MountedImage>> {
  const images = new Map<string, MountedImage>();
  for (const { name: volume } of order.container.volumeMounts ?? []) {
    const source = pod.spec?.volumes?.find(({ name }) => name === volume)?.image;
    if (!source || images.has(volume)) continue;
    const { reference = '', pullPolicy } = source;
    const container = { name: order.container.name, image: reference, ...(pullPolicy ? { imagePullPolicy: pullPolicy } : {}) };
    const { id } = await services.puller.ensure({ ...order, container });
    images.set(volume, { id, reference });
  }
  return images;
}

async function describe(
  context: PodContext,
  container: AnyContainer,
  image: Image,
  images: ReadonlyMap<string, MountedImage>,
): Promise<ContainerConfig> {
  const { pod, runtimePod, record, services, events } = context;
  const { files, mounts, paths } = services;
  try {
    const addresses = addressesOf(pod, runtimePod, services);
    const objects = await referencedObjects(pod, container, services);
    const environment = makeEnvironment({
      pod,
      container,
      ...addresses,
      ...objects,
      serviceVariables: serviceVariables(pod, services.services()),
      allocatable: services.allocatable(),
    });
    const restartCount = nextRestartCount(context, container.name);
    const volumes = record.volumes ?? new Map<string, string>();
    const hostsFile = `${paths.pods}/${pod.metadata.uid}/etc-hosts`;
    const canBeRecursive = async () => {
      const [handler, { handlers }] = await Promise.all([runtimeHandlerOf(context), services.runtime.capabilities()]);
      return handlers.some(({ name, features }) => name === handler && features?.recursive_read_only_mounts === true);
    };
    const binds = await containerMounts({
      ...{ files, mounts, paths, pod, container, volumes, images, environment, hostsFile, restartCount, canBeRecursive },
    });
    const target = 'targetContainerName' in container ? instancesOf(runtimePod, container.targetContainerName ?? '')[0]?.id : undefined;
    return containerConfig(pod, container, {
      paths,
      environment,
      mounts: binds,
      devices: containerDevices(pod, container, volumes),
      restartCount,
      userRange: await userRangeOf(context),
      image: { reference: image.id, uid: image.uid ? Number(image.uid.value) : undefined, username: image.username },
      swap: services.swap,
      defaultSeccomp: services.defaultSeccomp,
      ...(target === undefined ? {} : { targetID: target }),
    });
  } catch (error) {
    if (!(error instanceof ContainerConfigError)) throw error;
    events(container.name).event('Warning', 'Failed', `Error: ${error.message}`);
    throw new StartError('CreateContainerConfigError', error.message);
  }
}

/** One more than that of the newest instance. The Pod's status remembers instances that the runtime has lost. */
function nextRestartCount({ pod, runtimePod }: PodContext, name: string): number {
  const newest = instancesOf(runtimePod, name)[0];
  if (newest) return restartCountOf(newest) + 1;
  const recorded = findContainerStatus(pod, name);
  return recorded?.containerID || recorded?.lastState?.terminated ? recorded.restartCount + 1 : 0;
}

async function create(
  { services, events }: PodContext,
  sandboxID: string,
  config: ContainerConfig,
  sandbox: SandboxConfig,
): Promise<string> {
  const report = events(config.metadata.name);
  try {
    const id = await services.runtime.createContainer(sandboxID, config, sandbox);
    report.event('Normal', 'Created', 'Container created');
    return id;
  } catch (error) {
    const said = error instanceof Error && 'details' in error ? String(error.details) : String(error);
    // No query tells whether a runtime supports it, and the other errors are about paths.
    const isHelpless = config.mounts.some(({ image }) => image) && !/image/i.test(said);
    const problem = isHelpless ? `${said} (the container runtime may know no volumes of type image)` : said;
    report.event('Warning', 'Failed', `Error: ${problem}`);
    throw new StartError('CreateContainerError', problem);
  }
}

function containerType({ spec }: PodContext['pod'], name: string): string {
  if (spec?.initContainers?.some((container) => container.name === name)) return 'init_container';
  return spec?.ephemeralContainers?.some((container) => container.name === name) ? 'ephemeral_container' : 'container';
}

async function start(context: PodContext, container: AnyContainer, id: string): Promise<void> {
  const { services, events, pod, record, runtimePod, signal } = context;
  const { runtime, clock, version } = services;
  const report = events(container.name);
  try {
    await runtime.startContainer(id);
  } catch (error) {
    const problem = error instanceof Error && 'details' in error ? String(error.details) : String(error);
    report.event('Warning', 'Failed', `Error: ${problem}`);
    throw new StartError('RunContainerError', problem);
  }
  report.event('Normal', 'Started', 'Container started');
  services.tallies.add('kubelet_started_containers_total', [containerType(pod, container.name)]);
  const handler = container.lifecycle?.postStart;
  if (!handler) return;
  endTurn(record);
  const podIP = addressesOf(pod, runtimePod, services).podIPs[0] ?? '';
  try {
    await runHook({ handler, container, containerID: id, podIP, runtime, clock, version, timeoutSeconds: 0, signal });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    report.event('Warning', 'FailedPostStartHook', `PostStartHook failed: ${problem}`);
    const graceSeconds = pod.spec?.terminationGracePeriodSeconds ?? 30;
    await killContainer(context, { id, name: container.name, message: 'FailedPostStartHook', graceSeconds });
    throw new StartError('PostStartHookError', `PostStartHook failed: ${problem}`);
  }
}
