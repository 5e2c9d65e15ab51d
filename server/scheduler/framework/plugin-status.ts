/**
 * Why a plugin says no. 'Unschedulable' may change when other pods go; 'UnschedulableAndUnresolvable' cannot be helped by
 * preemption; 'Skip' takes the plugin out of this cycle; 'Error' ends the cycle: the plugin cannot tell.
 */
export interface PluginStatus {
  readonly code: 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Skip' | 'Error';
  readonly reasons: readonly string[];
}
