import type { Rotation } from '../../pki/rotate-authorities.ts';

/** The facts of `kubets status`, before anything is concluded from them. Also its output with `-o json`. */
export interface StatusFacts {
  readonly dataDirectory: string;
  readonly version: string;
  readonly runs: readonly RunFacts[];
  readonly services: readonly ServiceFacts[];
  /** Absent where this data dir has none. */
  readonly controlPlane?: ControlPlaneFacts;
  /** The nodes that this machine is, or holds in namespaces. */
  readonly localNodes: readonly LocalNodeFacts[];
  /** Absent where no API server answers. */
  readonly cluster?: ClusterFacts;
  readonly disk: DiskFacts;
  readonly certificates: readonly CertificateFacts[];
  /** How far the rotation of authorities is; absent: none is under way. */
  readonly rotation?: Rotation;
}

/** A process of `kubets up`, `server` or `agent`. */
export interface RunFacts {
  readonly command: string;
  readonly pid: number;
  readonly startedAt: string;
  /** The unit whose main process it is; absent: it runs in the foreground. */
  readonly unit?: string;
}

export interface ServiceFacts {
  readonly unit: string;
  /** The unit's state in systemd's words: `active`, `inactive`, `failed`, ... */
  readonly active: string;
  readonly isEnabled: boolean;
  readonly restarts: number;
}

export interface ControlPlaneFacts {
  readonly isRunning: boolean;
  readonly server?: string;
  /** Why it does not answer, or is not ready. */
  readonly problem?: string;
}

export interface LocalNodeFacts {
  readonly directory: string;
  /** Absent: it does not run. */
  readonly agentPID?: number;
  readonly containerdPID?: number;
  /** The place of the log. */
  readonly log: string;
}

export interface ClusterFacts {
  /** Whether the facts are of the whole cluster, or only what one node may see. */
  readonly isWhole: boolean;
  readonly nodes: readonly NodeFacts[];
  readonly podCount: number;
  /** Pods that neither run nor have succeeded. */
  readonly troubledPods: readonly PodFacts[];
}

export interface NodeFacts {
  readonly name: string;
  readonly isReady: boolean;
  readonly isSchedulable: boolean;
  readonly version: string;
  readonly runtime: string;
  /** Conditions that are not as they should be, with their messages. */
  readonly problems: readonly string[];
}

interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  /** The status as kubectl shows it. */
  readonly status: string;
}

export interface DiskFacts {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** The used bytes by purpose; absent where counting takes too long. */
  readonly used: Readonly<Record<string, number | undefined>>;
}

export interface CertificateFacts {
  readonly file: string;
  readonly expiresAt: string;
  readonly daysLeft: number;
}
