import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { defaultPullPolicy, findImageReference } from '../../../api/semantics/pods/image-reference.ts';
import type { Pod, Secret } from '../../../api/types/core-v1.ts';
import type { AuthConfig, Image, SandboxConfig } from '../../cri/messages.ts';
import type { ImageStore } from '../../cri/runtime.ts';
import type { Backoff } from '../containers/crash-backoff.ts';
import type { ContainerEvents } from '../containers/container-events.ts';
import type { FindCredentials } from './credential-providers.ts';
import { ImageError } from './image-error.ts';
import { registryCredentials } from './registry-credentials.ts';
import type { AnyContainer } from '../../../api/semantics/pods/pod-containers.ts';

export interface ImagePuller {
  /** Returns the image of a container, pulled if its policy demands that. Throws ImageError; aborting ends the wait, not the pull. */
  ensure(order: PullOrder): Promise<Image>;
}

export interface PullOrder {
  readonly pod: DeepReadonly<Pod>;
  readonly container: AnyContainer;
  readonly sandbox: SandboxConfig;
  readonly pullSecrets: readonly DeepReadonly<Secret>[];
  readonly events: ContainerEvents;
  readonly signal: AbortSignal;
  /** The image has to be fetched, which may take long. */
  readonly onPull?: () => void;
}

interface ImagePullerDependencies {
  readonly images: ImageStore;
  readonly clock: Clock;
  /** Backoff of failed pulls, per Pod and image. */
  readonly backoff: Backoff;
  /** Credentials for the image's registry, besides pull secrets. */
  readonly findCredentials: FindCredentials;
  /** Runs pulls, no more at once than allowed. */
  readonly inTurn: <T>(pull: () => Promise<T>) => Promise<T>;
}

export function createImagePuller({ images, clock, backoff, findCredentials, inTurn }: ImagePullerDependencies): ImagePuller {
  const pulls = new Map<string, Promise<string>>();
  /** Pulls an image with given credentials only once at a time, however many Pods wait for it. */
  const pullOnce = (name: string, auth: AuthConfig | undefined, sandbox: SandboxConfig): Promise<string> => {
    const key = JSON.stringify([name, auth]);
    const running = pulls.get(key);
    if (running) return running;
    const pull = inTurn(() => images.pullImage(name, auth, sandbox)).finally(() => pulls.delete(key));
    pulls.set(key, pull);
    return pull;
  };
  const pull = async (order: PullOrder, name: string): Promise<Image> => {
    const { pod, container, events, signal } = order;
    const { image = '' } = container;
    const key = `${pod.metadata.uid}_${image}`;
    const waitUntil = backoff.waitUntil(key, failures.get(key)?.atMs ?? 0);
    if (waitUntil !== undefined) {
      events.event('Normal', 'BackOff', `Back-off pulling image "${image}"`);
      const last = failures.get(key)?.message ?? '';
      throw new ImageError('ImagePullBackOff', `Back-off pulling image "${image}": ${last}`, waitUntil);
    }
    events.event('Normal', 'Pulling', `Pulling image "${image}"`);
    order.onPull?.();
    const startedMs = clock.monotonicMs();
    try {
      await untilAborted(pullWithAny(name, order, findCredentials, pullOnce), signal);
    } catch (error) {
      signal.throwIfAborted();
      const problem = error instanceof Error ? error.message : String(error);
      const message = `failed to pull image "${image}": ${problem}`;
      events.event('Warning', 'Failed', `Failed to pull image "${image}": ${problem}`);
      backoff.next(key, clock.nowMs());
      failures.set(key, { atMs: clock.nowMs(), message: `ErrImagePull: ${message}` });
      throw new ImageError('ErrImagePull', message, clock.nowMs() + 1000);
    }
    failures.delete(key);
    backoff.forget(key);
    const found = await images.imageStatus(name);
    if (!found) throw new ImageError('ErrImagePull', `image "${image}" vanished after it was pulled`);
    const took = formatSeconds(clock.monotonicMs() - startedMs);
    events.event(
      'Normal',
      'Pulled',
      `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${found.size} bytes.`,
    );
    return found;
  };
  const failures = new Map<string, { readonly atMs: number; readonly message: string }>();
  return {
    async ensure(order) {
      const { container, events } = order;
      const { image = '' } = container;
      const name = withDefaultTag(image, events);
      const policy = container.imagePullPolicy ?? defaultPullPolicy(image);
      const present = await inspect(images, image, name, events);
      if (policy === 'Always' || (policy === 'IfNotPresent' && !present)) return pull(order, name);
      if (present) {
        events.event('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`);
        return present;
      }
      const message = `Container image "${image}" is not present with pull policy of Never`;
      events.event('Warning', 'ErrImageNeverPull', message);
      throw new ImageError('ErrImageNeverPull', message);
    },
  };
}

function withDefaultTag(image: string, events: ContainerEvents): string {
  const reference = findImageReference(image);
  if (reference) return reference.tag === undefined && reference.digest === undefined ? `${image}:latest` : image;
  const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`;
  events.event('Warning', 'InspectFailed', message);
  throw new ImageError('InvalidImageName', message);
}

async function inspect(images: ImageStore, image: string, name: string, events: ContainerEvents): Promise<Image | undefined> {
  try {
    return await images.imageStatus(name);
  } catch (error) {
    const message = `Failed to inspect image "${image}": ${error instanceof Error ? error.message : String(error)}`;
    events.event('Warning', 'InspectFailed', message);
    throw new ImageError('ImageInspectError', message);
  }
}

/** With each fitting pull secret in turn, without any if there is none; the last failure counts. */
async function pullWithAny(
  name: string,
  { pullSecrets, sandbox }: PullOrder,
  findCredentials: FindCredentials,
  pullOnce: (name: string, auth: AuthConfig | undefined, sandbox: SandboxConfig) => Promise<string>,
): Promise<string> {
  const credentials = [...registryCredentials(name, pullSecrets), ...(await findCredentials(name))];
  let failure: unknown;
  for (const auth of credentials.length > 0 ? credentials : [undefined]) {
    try {
      return await pullOnce(name, auth, sandbox);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** A duration as Go prints it when rounded to milliseconds: 36ms, 1.204s, 1m2.5s. */
function formatSeconds(ms: number): string {
  const rounded = Math.round(ms);
  if (rounded < 1000) return `${rounded}ms`;
  const minutes = Math.floor(rounded / 60_000);
  return `${minutes > 0 ? `${minutes}m` : ''}${(rounded % 60_000) / 1000}s`;
}
