import type { Observation } from '../observe.ts';
import type { Task } from '../load/task.ts';
import type { Protocol } from '../load/task.ts';
import type { MetricName } from '../measurement.ts';
import type { BenchResourceName } from '../objects.ts';
import type { Session } from '../session.ts';

export interface ScenarioSettings {
  readonly protocols: readonly Protocol[];
  readonly connections: readonly number[];
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Pods in the large store. */
  readonly pods: number;
  /** Operations of the scenario `requests`. */
  readonly operations: readonly string[];
  readonly resources: readonly BenchResourceName[];
  readonly watchers: readonly number[];
  readonly informers: readonly number[];
  /** How many CustomResourceDefinitions are installed. */
  readonly definitions: number;
  /** A directory of CustomResourceDefinitions (YAML) that are installed instead. */
  readonly definitionsFrom?: string;
}

export interface ScenarioContext {
  readonly session: Session;
  readonly settings: ScenarioSettings;
  observe(task: Task): Promise<Observation>;
  record(what: { readonly subject: string; readonly load?: string }, values: Partial<Record<MetricName, number | undefined>>): void;
  remark(about: string, texts: readonly string[]): void;
}

/** One kind of work, done in the same way on every target. */
export interface Scenario {
  readonly name: string;
  /** For --help. */
  readonly does: string;
  /**
   * `empty`: a target that was just started (or whatever a running one is like); `large`: the one that holds --pods pods,
   * which the scenarios that want it share.
   */
  readonly store: 'empty' | 'large';
  run(context: ScenarioContext): Promise<void>;
}
