import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { isMirrorPod, mirrorKey, type MirrorPods } from './mirror-pods.ts';

type KnownPod = DeepReadonly<Pod>;

interface StaticPodsDependencies {
  /** Begins to run a Pod. */
  readonly start: (pod: KnownPod) => void;
  /** Ends the Pod. */
  readonly stop: (uid: string) => void;
  /** The Pod's picture in the API, new or changed; undefined: there is none any more. */
  readonly onMirror: (uid: string, mirror: KnownPod | undefined) => void;
  readonly mirrors: Pick<MirrorPods, 'check'>;
}

/**
 * The static Pods that should run, those that are still ending, and their mirrors in the API. A Pod that replaces another of its name waits
 * for the other's end.
 */
export interface StaticPods {
  /** All that there are to be. */
  set(pods: readonly KnownPod[]): void;
  /** A Pod has gone through its whole life. */
  removed(uid: string): void;
  mirrorSeen(mirror: KnownPod): void;
  mirrorGone(mirror: KnownPod): void;
  /** By `namespace/name`. */
  findMirror(key: string): KnownPod | undefined;
  find(key: string): KnownPod | undefined;
}

export function createStaticPods({ start, stop, onMirror, mirrors }: StaticPodsDependencies): StaticPods {
  let wanted = new Map<string, KnownPod>();
  /** Running or ending, by name. */
  const running = new Map<string, KnownPod>();
  const shown = new Map<string, KnownPod>();
  const begin = (key: string) => {
    const pod = wanted.get(key);
    if (!pod || running.has(key)) return;
    running.set(key, pod);
    start(pod);
    const mirror = shown.get(key);
    if (mirror) tell(key, mirror);
    mirrors.check(key);
  };
  const tell = (key: string, mirror: KnownPod | undefined) => {
    const pod = running.get(key);
    if (!pod) return;
    const isOwn = mirror?.metadata.annotations?.['kubernetes.io/config.mirror'] === pod.metadata.uid;
    onMirror(pod.metadata.uid ?? '', isOwn ? mirror : undefined);
  };
  return {
    set(pods) {
      wanted = new Map(pods.map((pod) => [mirrorKey(pod), pod]));
      for (const [key, pod] of running) if (wanted.get(key)?.metadata.uid !== pod.metadata.uid) stop(pod.metadata.uid ?? '');
      for (const key of wanted.keys()) begin(key);
    },
    removed(uid) {
      for (const [key, pod] of running) {
        if (pod.metadata.uid !== uid) continue;
        running.delete(key);
        mirrors.check(key);
        begin(key);
      }
    },
    mirrorSeen(mirror) {
      if (!isMirrorPod(mirror)) return;
      const key = mirrorKey(mirror);
      shown.set(key, mirror);
      tell(key, mirror);
      mirrors.check(key);
    },
    mirrorGone(mirror) {
      const key = mirrorKey(mirror);
      if (shown.get(key)?.metadata.uid !== mirror.metadata.uid) return;
      shown.delete(key);
      tell(key, undefined);
      mirrors.check(key);
    },
    findMirror: (key) => shown.get(key),
    find: (key) => running.get(key),
  };
}
