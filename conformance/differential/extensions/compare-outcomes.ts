import type { UpstreamAnswer } from '../custom-resources/upstream-server.ts';

/** An answer without what differs between any two servers. */
export interface Outcome {
  readonly status: number;
  readonly reason: string;
  /** Of answers with causes only the part before them. */
  readonly message: string;
  readonly details: unknown;
  readonly causes: readonly string[];
  readonly warnings: readonly string[];
  /** The object or list of the answer. */
  readonly body: unknown;
}

interface Cause {
  readonly reason?: string;
  readonly field?: string;
  readonly message?: string;
}

export function outcomeOf({ status, body, warnings }: UpstreamAnswer): Outcome {
  // v1.32 has MutatingAdmissionPolicies in v1alpha1 only.
  const shownWarnings = warnings
    .map(withoutGoValues)
    .filter((text) => !text.startsWith('admissionregistration.k8s.io/v1alpha1'))
    .toSorted();
  if (status > 0 && status < 400)
    return { status, reason: '', message: '', details: null, causes: [], warnings: shownWarnings, body: withoutOwn(body) };
  const { message = '', reason = '', details } = body as { message?: string; reason?: string; details?: Record<string, unknown> };
  const causes = (details?.['causes'] ?? []) as readonly Cause[];
  return {
    status,
    reason,
    message: causes.length > 0 ? headOf(message) : withoutGoValues(message),
    details: withoutOwn({ ...details, causes: null, uid: '' }),
    // Upstream validates some metadata more than once and tells of it each time.
    causes: [...new Set(causes.map((cause) => `${cause.field} ${cause.reason} ${withoutGoValues(cause.message ?? '')}`))].toSorted(),
    warnings: shownWarnings,
    body: null,
  };
}

const headOf = (message: string): string =>
  /^.*? (?:is invalid|in field selector|failed)[^:]*:/s.exec(message)?.[0] ?? withoutGoValues(message);

/** v1.32 shows values that are lists and objects as Go source; v1.36 as JSON. */
function withoutGoValues(message: string): string {
  const shortened = message
    .replace(
      /((?:Invalid|Unsupported|Duplicate) value: |Too many: |^)(?:[\w.*]+\{|map\[[\w.]+\][\w. ]+\{\}|\[\][\w. ]+\{|\{|\[).*?(: (?=[^:]*(?: in body |must |may |supported |should |json|cannot |value |is |field |only |not |name |mutually |failed |expected ))|: (?=compilation failed|messageExpression compilation|messageExpression must|cel expression|estimated rule|no such|unknown )|$)/s,
      '$1…$2',
    )
    .replace(/selfType\d+/g, 'selfType');
  // v1.36 has a singular, counts the bytes of labels and shows numbers without a sign as numbers.
  return withoutFacts(shortened)
    .replace('must be no more than 63 characters', 'must be no more than 63 bytes')
    .replace('0x0: must', '0: must')
    .replace('a qualified name must consist', 'a valid label key must consist')
    .replace(/\b1 (byte|item|character|propertie)s\b/g, '1 $1');
}

/** Uids and resource versions are those of each server. */
const withoutFacts = (message: string): string =>
  message
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/ResourceVersion in (\w+) \(\d+\)/g, 'ResourceVersion in $1 (N)');

const ownKeys = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'continue',
  'remainingItemCount',
  'storageVersionHash',
]);

/** Lists whose order says nothing. */
const unordered = new Set(['managedFields', 'conditions', 'resources']);

/** A value with its fields in order, without uids, versions and times. */
function withoutOwn(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => withoutOwn(item, key === 'cells' ? 'cell' : ''));
    return unordered.has(key) ? items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (typeof value !== 'object' || value === null) {
    if (key === 'lastTransitionTime' || key === 'time' || (key === 'cell' && /^\d+s$/.test(String(value)))) return '';
    // The texts of the API are kept without their line breaks.
    if (key === 'apiVersion') return String(value).replace('admissionregistration.k8s.io/v1alpha1', 'admissionregistration.k8s.io/v1');
    return key === 'description' && typeof value === 'string' ? value.replaceAll(/\s+/g, ' ') : value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !ownKeys.has(name))
      .map(([name, member]) => [name, withoutOwn(member, name)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** The parts that differ, with both values; undefined where there are none. */
export function differenceOf(theirs: Outcome, ours: Outcome): Partial<Record<keyof Outcome, readonly [unknown, unknown]>> | undefined {
  const keys = Object.keys(theirs) as (keyof Outcome)[];
  const differing = keys.filter((key) => JSON.stringify(theirs[key]) !== JSON.stringify(ours[key]));
  return differing.length === 0 ? undefined : Object.fromEntries(differing.map((key) => [key, [theirs[key], ours[key]]]));
}
