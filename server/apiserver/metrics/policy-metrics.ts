import type { MetricFamilies } from '../metric-families.ts';

export type PolicyErrorType = 'compile_error' | 'invalid_error' | 'no_error' | 'out_of_budget';
export type PolicyAction = 'allow' | 'audit' | 'deny' | 'warn';

/** Metrics of ValidatingAdmissionPolicies. */
export interface PolicyMetrics {
  /** Counts one enforced decision, or one ignored failure. */
  observe(policy: string, binding: string, errorType: PolicyErrorType, action: PolicyAction, seconds: number): void;
}

export function createPolicyMetrics(families: MetricFamilies): PolicyMetrics {
  const labels = ['policy', 'policy_binding', 'error_type', 'enforcement_action'];
  const checks = families.counter({
    name: 'apiserver_validating_admission_policy_check_total',
    help: 'Validation admission policy check total, labeled by policy and further identified by binding and enforcement action taken.',
    stability: 'BETA',
    labels,
  });
  const durations = families.histogram({
    name: 'apiserver_validating_admission_policy_check_duration_seconds',
    help: 'Validation admission latency for individual validation expressions in seconds, labeled by policy and further including binding and enforcement action taken.',
    stability: 'BETA',
    labels,
    buckets: [0.0000005, 0.001, 0.01, 0.1, 1],
  });
  return {
    observe(policy, binding, errorType, action, seconds) {
      checks.with(policy, binding, errorType, action).add();
      durations.with(policy, binding, errorType, action).observe(seconds);
    },
  };
}
