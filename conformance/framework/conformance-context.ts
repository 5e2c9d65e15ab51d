import type { KubeConfig } from '@kubernetes/client-node';
import type { Client } from '../../api/client/client.ts';
import type { ExecResult } from './exec-in-pod.ts';
import type { RunResult } from './run-program.ts';

/** The environment of a test: the cluster, and a namespace of its own that is removed when the test has ended. */
export interface ConformanceContext {
  /** The typed client, as whoever the kubeconfig names (an administrator). */
  readonly client: Client;
  /** For the official client's own APIs: `kubeConfig.makeApiClient(CoreV1Api)`, `new Watch(kubeConfig)`. */
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  /** Aborted when the test's time is over. */
  readonly signal: AbortSignal;
  /** A raw request, e.g. for media types that the typed client does not ask for. */
  request(method: string, path: string, options?: RawRequest): Promise<RawAnswer>;
  /** Runs a command in a container through the exec subresource of the official client. */
  exec(pod: string, command: readonly string[], container?: string): Promise<ExecResult>;
  /** Stock kubectl with this cluster's kubeconfig and this test's namespace. */
  kubectl(...args: readonly string[]): Promise<RunResult>;
  /** A further namespace, removed with the first. */
  createNamespace(baseName: string): Promise<string>;
  /** Runs after the test, whether or not it passed; the last registered action runs first. */
  cleanUp(action: () => Promise<unknown>): void;
}

export interface RawRequest {
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly query?: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  json(): unknown;
}
