import type { Answer, Facts } from './differential-request.ts';

/** The parts of an answer that are compared between two API servers. */
export interface Verdict {
  readonly status: number;
  readonly kind: string;
  readonly reason: string;
  readonly message: string;
  /** The stable part of `details`: name, group, kind, causes. */
  readonly details: unknown;
  readonly warnings: readonly string[];
  /** The whole status of a review, which is not stored. */
  readonly review: unknown;
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const time = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC)/g;
const jwt = /eyJ[\w-]+\.[\w-]*\.[\w-]*/g;

/** A text without the parts that differ between any two clusters. */
export function withoutOwnFacts(text: string, facts: Facts): string {
  let result = text;
  for (const [name, value] of facts) if (value.length > 8) result = result.replaceAll(value, `{{${name}}}`);
  return result.replace(uuid, '<uuid>').replace(time, '<time>').replace(jwt, '<jwt>');
}

interface StatusBody {
  readonly kind?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly status?: unknown;
}

export function verdictOf(answer: Answer, facts: Facts): Verdict {
  const text = withoutOwnFacts(answer.body, facts);
  const body = parse(text);
  const isStatus = body?.kind === 'Status';
  const { name, group, kind, causes } = body?.details ?? {};
  return {
    status: answer.status,
    kind: body?.kind ?? '',
    reason: isStatus ? (body.reason ?? '') : '',
    message: isStatus ? (body.message ?? '') : answer.status >= 400 ? text.trim() : '',
    details: isStatus && body.details ? { name, group, kind, causes: sorted(causes) } : null,
    warnings: answer.warnings.map((warning) => withoutOwnFacts(warning, facts)),
    review: body?.kind?.endsWith('Review') && answer.status < 300 ? withoutOrder(sortedDeep(body.status)) : null,
  };
}

function parse(text: string): StatusBody | undefined {
  try {
    return JSON.parse(text) as StatusBody;
  } catch {
    return undefined;
  }
}

function sorted(causes: unknown): unknown {
  return Array.isArray(causes) ? causes.map((one) => JSON.stringify(sortedDeep(one))).toSorted() : causes;
}

/** Rules come in the order in which bindings were found. */
function withoutOrder(status: unknown): unknown {
  const lists = Object.entries((status ?? {}) as Readonly<Record<string, unknown>>).map(([key, value]) => [
    key,
    key.endsWith('Rules') ? sorted(value) : value,
  ]);
  return Object.fromEntries(lists) as unknown;
}

/** With sorted fields, since the order of JSON has no meaning. */
function sortedDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedDeep);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sortedDeep(one)]),
  );
}

/** The names of the parts that differ. */
export function differencesOf(theirs: Verdict, ours: Verdict): (keyof Verdict)[] {
  const keys = Object.keys(theirs) as (keyof Verdict)[];
  return keys.filter((key) => JSON.stringify(theirs[key]) !== JSON.stringify(ours[key]));
}
