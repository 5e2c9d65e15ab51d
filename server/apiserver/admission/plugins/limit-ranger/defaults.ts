import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import type { Container, LimitRange, Pod } from '../../../../../api/types/core-v1.ts';

const annotation = 'kubernetes.io/limit-ranger';

/** Sets requests and limits that containers lack, and lists them in an annotation. Modifies. */
export function addDefaults(pod: Pod, { spec }: DeepReadonly<LimitRange>): void {
  const requests: Record<string, string> = {};
  const limits: Record<string, string> = {};
  for (const item of spec?.limits ?? []) {
    if (item.type !== 'Container') continue;
    Object.assign(requests, item.defaultRequest);
    Object.assign(limits, item.default);
  }
  const added = [
    ...(pod.spec?.containers ?? []).flatMap((container) => addTo(container, 'container', requests, limits)),
    ...(pod.spec?.initContainers ?? []).flatMap((container) => addTo(container, 'init container', requests, limits)),
  ];
  if (added.length === 0) return;
  pod.metadata.annotations = { ...pod.metadata.annotations, [annotation]: `LimitRanger plugin set: ${added.join('; ')}` };
}

type Quantities = Readonly<Record<string, string>>;

function addTo(container: Container, title: string, requests: Quantities, limits: Quantities): string[] {
  const texts: string[] = [];
  for (const [field, noun, defaults] of [
    ['requests', 'request', requests],
    ['limits', 'limit', limits],
  ] as const) {
    const present = container.resources?.[field] ?? {};
    const missing = Object.keys(defaults).filter((name) => !Object.hasOwn(present, name));
    if (missing.length === 0) continue;
    container.resources = {
      ...container.resources,
      [field]: { ...present, ...Object.fromEntries(missing.map((name) => [name, defaults[name] ?? '0'])) },
    };
    texts.push(`${missing.sort().join(', ')} ${noun} for ${title} ${container.name}`);
  }
  return texts;
}
