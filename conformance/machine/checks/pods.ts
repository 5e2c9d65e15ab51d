/** The parts of a Pod's definition that the checks say; the rest is the same for all. */
interface PodOptions {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** A script of `sh`. */
  readonly script: string;
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  /** Fields of the container beside these. */
  readonly container?: object;
  /** Fields of the Pod's spec beside these. */
  readonly spec?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A Pod with one container `main` of busybox, in the namespace default. */
export function podManifest(options: PodOptions): object {
  const { name, script, requests, limits, labels, restartPolicy = 'Always', container, spec, annotations } = options;
  const resources = { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
    spec: {
      restartPolicy,
      terminationGracePeriodSeconds: 1,
      ...spec,
      containers: [{ name: 'main', image: 'busybox:1.37', command: ['sh', '-c', script], resources, ...container }],
    },
  };
}

/** A script that does nothing until it is told to end. */
export const idle = "trap 'exit 0' TERM; while :; do sleep 3600 & wait; done";

/**
 * A line of `sh` that sets `pod` to the cgroup of a Pod, whichever driver made it: `kubepods/burstable/pod<uid>` or
 * `kubepods-burstable-pod<uid with underscores>.slice`.
 */
export function findPodCgroup(uid: string): string {
  const underscored = uid.replaceAll('-', '_');
  return `pod=$(find /sys/fs/cgroup -type d \\( -name 'pod${uid}' -o -name '*pod${underscored}.slice' \\) | head -n 1); test -n "$pod" || { echo 'the Pod has no cgroup' >&2; exit 1; }`;
}
