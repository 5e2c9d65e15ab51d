/**
 * The answer of a plugin that does not accept. 'Unschedulable' may change when other pods are deleted; 'UnschedulableAndUnresolvable'
 * cannot be resolved by preemption; 'Skip' leaves the plugin out of this cycle; 'Error' ends the cycle.
 */
export interface PluginStatus {
  readonly code: 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Skip' | 'Error';
  readonly reasons: readonly string[];
}
