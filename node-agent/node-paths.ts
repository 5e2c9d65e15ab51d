/** The paths of all files of one node: below the data directory, except those that other programs expect elsewhere. All absolute. */
export interface NodePaths {
  readonly root: string;
  /** Holds `pods`, `plugins` and `plugins_registry`, which storage drivers know by their paths. */
  readonly kubelet: string;
  readonly containerd: string;
  readonly cniConfig: string;
  readonly cniState: string;
  /** Volumes, hosts files and termination messages of Pods, one folder per uid. */
  readonly pods: string;
  /** Directory of CSI drivers' and the kubelet's data for volumes; a folder per kind of plugin. */
  readonly plugins: string;
  /** The sockets by which CSI drivers register. */
  readonly pluginRegistry: string;
  /** Volumes made of directories, by name. They outlive Pods. */
  readonly localVolumes: string;
  readonly podLogs: string;
  readonly seccompProfiles: string;
  /** Archives in it are loaded into the image store at start. */
  readonly imageArchives: string;
}

export function nodePaths(dataDirectory: string, kubeletDirectory?: string): NodePaths {
  const root = `${dataDirectory}/node`;
  const kubelet = kubeletDirectory ?? root;
  return {
    root,
    kubelet,
    containerd: `${root}/containerd`,
    cniConfig: `${root}/cni/net.d`,
    cniState: `${root}/cni/ipam`,
    pods: `${kubelet}/pods`,
    plugins: `${kubelet}/plugins`,
    pluginRegistry: `${kubelet}/plugins_registry`,
    localVolumes: `${root}/local-volumes`,
    podLogs: `${root}/logs/pods`,
    seccompProfiles: `${root}/seccomp`,
    imageArchives: `${dataDirectory}/images`,
  };
}

/** Log folder of a pod below `podLogs`, in the layout that log collectors expect. */
export function podLogDirectory(
  paths: NodePaths,
  pod: { readonly namespace: string; readonly name: string; readonly uid: string },
): string {
  return `${paths.podLogs}/${pod.namespace}_${pod.name}_${pod.uid}`;
}
