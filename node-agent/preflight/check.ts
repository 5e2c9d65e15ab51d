import type { SurveyedMachine } from '../linux/survey/surveyed-machine.ts';
import type { PodNetworkMode } from '../../api/semantics/nodes/node-configuration.ts';

/** An error keeps a node from working; a warning is about something that will fail in some cases; an advice about something that may. */
type FindingLevel = 'ok' | 'advice' | 'warning' | 'error';

export interface Finding {
  /** The name that `--ignore-preflight-errors` uses: kubeadm's if it has the same check. */
  readonly name: string;
  readonly level: FindingLevel;
  readonly message: string;
  /** The steps that mend it; commands are on separate lines. */
  readonly remedy?: string;
}

/** One check of the machine. Decides from facts alone. */
export interface Check {
  readonly name: string;
  run(machine: SurveyedMachine, plan: NodePlan): readonly Finding[];
}

/** A port that the node or the control plane will listen on. */
export interface PlannedPort {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** The addresses that it is opened on. */
  readonly on: 'all' | 'loopback' | 'node';
  readonly purpose: string;
  /** The flag that changes it. */
  readonly flag?: string;
  /** Whether the node works without it. */
  readonly isOptional?: boolean;
}

/** The planned roles of the machine. */
export interface NodePlan {
  readonly nodeName: string;
  /** Absolute; where containers and volumes of the node are. */
  readonly nodeDirectory: string;
  /** Whether Pods are evicted by the kubelet's default thresholds. */
  readonly hasDefaultEviction: boolean;
  readonly podNetwork: PodNetworkMode;
  readonly clusterCIDRs: readonly string[];
  readonly serviceCIDRs: readonly string[];
  /** Whether the ranges are the cluster's own; false: defaults, of a cluster that is not known yet. */
  readonly areRangesCertain: boolean;
  readonly ports: readonly PlannedPort[];
  readonly hasControlPlane: boolean;
  /** Whether this node joins or has joined a cluster elsewhere. */
  readonly isJoining: boolean;
  /** A runtime that others look after, `unix:///path`. */
  readonly runtimeEndpoint?: string;
  /** The interface that Pods are behind; with a `*` at its end all that begin so. */
  readonly bridge: string;
  readonly cniPluginDirectories: readonly string[];
  /** The kubelet's flag: whether swap keeps the node from starting. */
  readonly failSwapOn: boolean;
  /** The kubelet's flag `--resolv-conf`; absent: chosen by the agent. */
  readonly resolvConf?: string;
  /** Time of the API server that is to be joined less that of this machine; absent: not known. */
  readonly serverAheadMs?: number;
}

export function error(name: string, message: string, remedy: string): Finding {
  return { name, level: 'error', message, remedy };
}

export function warning(name: string, message: string, remedy: string): Finding {
  return { name, level: 'warning', message, remedy };
}

export function advice(name: string, message: string, remedy: string): Finding {
  return { name, level: 'advice', message, remedy };
}

export function ok(name: string, message: string): Finding {
  return { name, level: 'ok', message };
}

/** The findings, or that all is well where there are none. */
export function orOK(findings: readonly Finding[], name: string, message: string): readonly Finding[] {
  return findings.length > 0 ? findings : [ok(name, message)];
}
