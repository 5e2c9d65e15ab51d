import type { Facts } from '../differential-request.ts';
import { withoutOwnFacts } from '../compare-answers.ts';

type JSONValue = null | boolean | number | string | readonly JSONValue[] | { readonly [name: string]: JSONValue };

export interface ComparedEvent {
  readonly auditID: string;
  readonly stage: string;
  readonly fields: Readonly<Record<string, JSONValue>>;
}

const times: ReadonlySet<string> = new Set(['requestReceivedTimestamp', 'stageTimestamp']);
/** Fields whose values differ between any two clusters. */
const own: ReadonlySet<string> = new Set(['resourceVersion', 'creationTimestamp', 'deletionTimestamp', 'uid', 'time']);
/** Names that end in random characters. */
const randomName = /kube-api-access-[a-z0-9]{5}/g;
const latencies = /^apiserver\.latency\.k8s\.io\//;

/** The events of an audit log, without times and whatever else differs between any two clusters. */
export function readEvents(log: string, facts: Facts): ComparedEvent[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const event = JSON.parse(withoutOwnFacts(line, facts).replaceAll(randomName, 'kube-api-access-<random>')) as Record<
        string,
        JSONValue
      >;
      const kept = Object.entries(event).filter(([name]) => !times.has(name) && name !== 'auditID' && name !== 'stage');
      return {
        auditID: String((JSON.parse(line) as { readonly auditID: string }).auditID),
        stage: String(event['stage']),
        fields: Object.fromEntries(kept.map(([name, value]) => [name, withoutOwn(value)])),
      };
    });
}

function withoutOwn(value: JSONValue): JSONValue {
  if (isList(value)) return value.map(withoutOwn);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name, field]) => !latencies.test(name) && !isOfVersion(name, field));
  return Object.fromEntries(
    entries.map(([name, field]) => [name, own.has(name) && typeof field === 'string' ? '<own>' : withoutOwn(field)]),
  );
}

/** v1.32 writes times that are not set as null, and no generation of Pods. */
function isOfVersion(name: string, value: JSONValue): boolean {
  return (name === 'creationTimestamp' && value === null) || name === 'generation';
}

function isList(value: JSONValue): value is readonly JSONValue[] {
  return Array.isArray(value);
}

/** Paths of fields in which two events differ, with both values. */
export function differingFields(a: JSONValue | undefined, b: JSONValue | undefined, path = ''): string[] {
  if (JSON.stringify(sortKeys(a)) === JSON.stringify(sortKeys(b))) return [];
  const isObject = (value: JSONValue | undefined) => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(a) || !isObject(b)) return [`${path}: theirs ${JSON.stringify(a)}, ours ${JSON.stringify(b)}`];
  const [left, right] = [a, b] as readonly Readonly<Record<string, JSONValue>>[];
  const names = new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})]);
  return [...names].flatMap((name) => differingFields(left?.[name], right?.[name], `${path}.${name}`));
}

function sortKeys(value: JSONValue | undefined): JSONValue | undefined {
  if (value === undefined || value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map((item) => sortKeys(item) ?? null);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sortKeys(field) ?? null]),
  );
}
