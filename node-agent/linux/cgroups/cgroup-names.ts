/** The makers of the cgroups of Pods: the agent and the runtime by themselves, or systemd when they ask for them. */
export const cgroupDrivers = ['cgroupfs', 'systemd'] as const;

export type CgroupDriver = (typeof cgroupDrivers)[number];

export type PodClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** Names of the cgroups that Pods run in, absolute below the hierarchy's root, as the driver spells them. */
export interface CgroupNames {
  readonly driver: CgroupDriver;
  /** The cgroup of all Pods. */
  readonly root: string;
  /** The cgroup of all Pods of a QoS class; for Guaranteed ones that of all Pods. */
  ofClass(podClass: PodClass): string;
  ofPod(podClass: PodClass, uid: string): string;
  /** The names that the cgroup of a Pod of unknown class can have. */
  candidates(uid: string): string[];
}

const classFolders: Readonly<Record<PodClass, readonly string[]>> = {
  Guaranteed: [],
  Burstable: ['burstable'],
  BestEffort: ['besteffort'],
};

/** `root` is the value of `--cgroup-root`, by default /kubepods. */
export function cgroupNames(driver: CgroupDriver, root: string): CgroupNames {
  const base = root.split('/').filter((part) => part !== '');
  const name = (parts: readonly string[]) => (driver === 'systemd' ? sliceName(parts) : `/${parts.join('/')}`);
  const ofPod: CgroupNames['ofPod'] = (podClass, uid) => name([...base, ...classFolders[podClass], `pod${uid}`]);
  return {
    driver,
    root: name(base),
    ofClass: (podClass) => name([...base, ...classFolders[podClass]]),
    ofPod,
    candidates: (uid) => (['Guaranteed', 'Burstable', 'BestEffort'] as const).map((podClass) => ofPod(podClass, uid)),
  };
}

/**
 * The path of a slice: `kubepods`, `burstable` -> `/kubepods.slice/kubepods-burstable.slice`. A dash in a slice's name is a
 * step down, so those of the parts become underscores, as kubelets write them (systemd.slice(5)).
 */
function sliceName(parts: readonly string[]): string {
  const escaped = parts.map((part) => part.replaceAll('-', '_'));
  return escaped.map((_, index) => `/${escaped.slice(0, index + 1).join('-')}.slice`).join('');
}

/** Whether a cgroup right below a Pod's is that of this container: runtimes name it by its id, some with a word of theirs around it. */
export function isContainerCgroup(name: string, id: string): boolean {
  const bare = name.endsWith('.scope') ? name.slice(0, -'.scope'.length) : name;
  return bare === id || bare.endsWith(`-${id}`);
}
