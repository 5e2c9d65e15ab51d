import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '../../../types/autoscaling-v2.ts';

const capital = (name: string) => name.slice(0, 1).toUpperCase() + name.slice(1);

/** The behavior as its annotation has always shown it: fields by their names in Go, null where nothing is set. */
export function toLegacyBehavior({ scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior): Record<string, unknown> {
  return { ScaleUp: toLegacyRules(scaleUp), ScaleDown: toLegacyRules(scaleDown) };
}

function toLegacyRules(rules: HPAScalingRules | undefined): Record<string, unknown> | null {
  if (!rules) return null;
  const { stabilizationWindowSeconds = null, selectPolicy = null, policies, tolerance = null } = rules;
  const legacy = policies?.map(({ type, value, periodSeconds }) => ({ Type: type, Value: value, PeriodSeconds: periodSeconds })) ?? null;
  return { StabilizationWindowSeconds: stabilizationWindowSeconds, SelectPolicy: selectPolicy, Policies: legacy, Tolerance: tolerance };
}

/** The reverse; as Go does, it takes names with a small first letter, too. */
export function fromLegacyBehavior(legacy: Readonly<Record<string, unknown>>): HorizontalPodAutoscalerBehavior {
  const rules = (name: string) => {
    const value = read(legacy, name);
    if (typeof value !== 'object' || value === null) return {};
    const found = value as Readonly<Record<string, unknown>>;
    const policies = read(found, 'policies');
    const fields = {
      ...pick(found, ['stabilizationWindowSeconds', 'selectPolicy', 'tolerance']),
      ...(Array.isArray(policies) ? { policies: policies.map((policy) => pick(policy, ['type', 'value', 'periodSeconds'])) } : {}),
    };
    return { [name]: fields };
  };
  return { ...rules('scaleUp'), ...rules('scaleDown') };
}

function read(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return object[capital(name)] ?? object[name] ?? undefined;
}

function pick(object: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, read(object, name)]).filter(([, value]) => value !== undefined));
}
