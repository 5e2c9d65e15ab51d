import { taintEffects } from '../../../api/resources/core/v1/pod-spec/scheduling.ts';
import { kubeletDomains, kubeletLabels, mayKubeletSet } from '../../../api/semantics/nodes/kubelet-labels.ts';
import type { Taint } from '../../../api/types/core-v1.ts';
import { labelValueProblems, qualifiedNameProblems } from '../../../api/validation/names.ts';

/** Parses `--node-labels key=value,...`; refuses labels that the API server would refuse, in the kubelet's words. */
export function parseNodeLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const part of parts(text)) {
    const [key = '', ...value] = part.split('=');
    if (value.length === 0) throw new Error(`invalid argument "${text}" for "--node-labels" flag: malformed pair, expect string=string`);
    labels[key.trim()] = value.join('=').trim();
  }
  const foreign = Object.keys(labels).filter((key) => !mayKubeletSet(key));
  if (foreign.length > 0) {
    throw new Error(
      `unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: [${foreign.sort().join(' ')}]\n` +
        `--node-labels in the 'kubernetes.io' namespace must begin with an allowed prefix (${kubeletDomains.join(', ')}) ` +
        `or be in the specifically allowed set (${kubeletLabels.join(', ')})`,
    );
  }
  const problems = Object.entries(labels).flatMap(([key, value]) => [
    ...named(key, qualifiedNameProblems(key)),
    ...named(value, labelValueProblems(value)),
  ]);
  if (problems.length > 0) throw new Error(`invalid node labels: ${problems.join('; ')}`);
  return labels;
}

/** `--register-with-taints key=value:effect,...` */
export function parseTaints(text: string): Taint[] {
  return parts(text).map((part) => {
    const [pair = '', effect = '', ...rest] = part.split(':');
    const [key = '', value, ...more] = pair.split('=');
    if (rest.length > 0 || more.length > 0 || effect === '') throw new Error(`invalid taint spec: ${part}`);
    if (!isEffect(effect)) throw new Error(`invalid taint effect: ${effect}, unsupported taint effect`);
    const problems = [...labelValueProblems(value ?? ''), ...qualifiedNameProblems(key)];
    if (problems.length > 0) throw new Error(`invalid taint spec: ${part}, ${problems.join('; ')}`);
    return { key, ...(value === undefined ? {} : { value }), effect };
  });
}

function isEffect(text: string): text is Taint['effect'] {
  return taintEffects.includes(text);
}

function parts(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

function named(what: string, problems: readonly string[]): string[] {
  return problems.length === 0 ? [] : [`'${what}' - ${problems.join(', ')}`];
}
