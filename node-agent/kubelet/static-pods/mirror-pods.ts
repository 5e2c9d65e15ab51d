import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { formatKey, keyOf } from '../../../api/meta/object.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { staticAnnotations } from '../../../api/semantics/pods/is-static-pod.ts';

type KnownPod = DeepReadonly<Pod>;

/** Whether a Pod of the API is the mirror of a static Pod. */
export function isMirrorPod(pod: KnownPod): boolean {
  return pod.metadata.annotations?.[staticAnnotations.mirror] !== undefined;
}

type MirrorStep = 'none' | 'create' | 'delete';

/** The change to the mirror of a static Pod: there must be one of exactly this Pod, or none if there is no Pod. */
export function planMirror(staticPod: KnownPod | undefined, mirror: KnownPod | undefined): MirrorStep {
  if (!mirror) return staticPod ? 'create' : 'none';
  const isRight = staticPod !== undefined && mirror.metadata.annotations?.[staticAnnotations.mirror] === staticPod.metadata.uid;
  return isRight && !mirror.metadata.deletionTimestamp ? 'none' : 'delete';
}

interface MirrorPodsDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The Node that owns mirrors; undefined before it is registered. */
  readonly owner: () => { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string } | undefined;
  /** The static Pod of that name, as long as anything of it is there. */
  readonly findStatic: (key: string) => KnownPod | undefined;
  readonly findMirror: (key: string) => KnownPod | undefined;
}

/** Keeps the API's pictures of static Pods right. */
export interface MirrorPods {
  /** Called when the Pod or its mirror has changed: `namespace/name`. */
  check(key: string): void;
  run(signal: AbortSignal): Promise<void>;
}

const retryMs = 1000;

export function createMirrorPods(dependencies: MirrorPodsDependencies): MirrorPods {
  const { clock, logger } = dependencies;
  const due = new Set<string>();
  let wake: (() => void) | undefined;
  return {
    check(key) {
      due.add(key);
      wake?.();
    },
    async run(signal) {
      signal.addEventListener('abort', () => wake?.(), { once: true });
      while (!signal.aborted) {
        const [key] = due;
        if (key === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          wake = undefined;
          continue;
        }
        due.delete(key);
        try {
          await bringAbout(dependencies, key);
        } catch (error) {
          if (signal.aborted) return;
          logger.debug('the mirror of a static Pod could not be put right', { pod: key, error });
          await sleep(clock, retryMs, signal).catch(() => undefined); // aborted
          due.add(key);
        }
      }
    },
  };
}

async function bringAbout({ client, owner, findStatic, findMirror }: MirrorPodsDependencies, key: string): Promise<void> {
  const staticPod = findStatic(key);
  const mirror = findMirror(key);
  const step = planMirror(staticPod, mirror);
  if (step === 'delete' && mirror) {
    const { uid } = mirror.metadata;
    try {
      await ignoreNotFound(client(pods).delete(keyOf(mirror), { gracePeriodSeconds: 0, ...(uid ? { preconditions: { uid } } : {}) }));
    } catch (error) {
      if (!hasReason(error, 'Conflict')) throw error; // it is another one by now, of which the informer will tell
    }
  }
  if (step !== 'create' || !staticPod) return;
  const node = owner();
  if (!node) throw new Error('the node is not registered yet');
  try {
    await client(pods).create(mirrorOf(staticPod, node));
  } catch (error) {
    // An old mirror that still exists will be reported by the informer and handled then.
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}

function mirrorOf(pod: KnownPod, node: NonNullable<ReturnType<MirrorPodsDependencies['owner']>>): Pod {
  const { uid = '', name, namespace, labels, annotations } = pod.metadata;
  const { status: _status, ...rest } = structuredClone(pod) as Pod;
  return {
    ...rest,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels ? { labels: { ...labels } } : {}),
      annotations: { ...annotations, [staticAnnotations.mirror]: uid },
      ownerReferences: [{ ...node, controller: true }],
    },
  };
}

export function mirrorKey(pod: KnownPod): string {
  return formatKey(keyOf(pod));
}
