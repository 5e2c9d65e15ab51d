import { quote } from '../../../api/base/quote.ts';
import { badRequest, invalid as invalidObject, unexpectedError } from '../../../api/meta/status-errors.ts';
import { type FieldError, forbidden, notSupported } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { RequestContext } from '../request/request-context.ts';
import { isTrue } from '../request/request-info.ts';
import { type ContinueToken, parseContinueToken } from './continue-token.ts';

/** The options of list and watch in the query. */
export interface ListOptions {
  /** undefined: not given. */
  readonly resourceVersion?: number;
  readonly match: '' | 'NotOlderThan' | 'Exact';
  readonly limit: number;
  /** The position at which this page begins; absent: at the beginning. Lists only. */
  readonly start?: ContinueToken;
  readonly allowBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

export function parseListOptions({ query }: RequestContext, isWatch: boolean): ListOptions {
  const limit = parseInteger(query, 'limit') ?? 0;
  const timeoutSeconds = parseInteger(query, 'timeoutSeconds');
  const given = query.get('resourceVersionMatch') ?? '';
  const version = query.get('resourceVersion') ?? '';
  const token = query.get('continue') ?? '';
  const asked = query.has('sendInitialEvents') ? isTrue(query.get('sendInitialEvents')) : undefined;
  // A watch without resourceVersion begins with the existing objects (KEP-3157).
  const isImplied = isWatch && given === '' && asked === undefined && (version === '' || version === '0');
  const [match, sendInitialEvents] = isImplied ? ['NotOlderThan', true] : [given, asked];
  const errors = isWatch ? watchErrors(match, token, sendInitialEvents) : listErrors(match, version, token, sendInitialEvents);
  if (errors.length > 0) throw invalidObject({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
  const start = token === '' || isWatch ? undefined : parseContinueToken(token);
  if (start !== undefined && version !== '' && version !== '0')
    throw badRequest('specifying resource version is not allowed when using continue');
  const isPast = !isWatch && (match === 'Exact' || (match === '' && limit > 0));
  return {
    ...(version === '' ? {} : { resourceVersion: isPast ? parsePastVersion(version) : parseResourceVersion(version) }),
    match: match as ListOptions['match'],
    limit,
    ...(start === undefined ? {} : { start }),
    allowBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents,
    timeoutSeconds,
  };
}

/** Throws as upstream's cache does: 500 with the problem alone. A revision beyond all others becomes the greatest number. */
export function parseResourceVersion(text: string): number {
  const problem = versionProblem(text);
  if (problem !== undefined) throw unexpectedError(problem);
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

/** Parses a version that upstream's store would check: it answers 400. */
function parsePastVersion(text: string): number {
  const problem = versionProblem(text);
  if (problem !== undefined) throw badRequest(`invalid resource version: ${problem}`);
  return parseResourceVersion(text);
}

function versionProblem(text: string): string | undefined {
  const problem = !/^\d+$/.test(text) ? 'invalid syntax' : BigInt(text) >= 2n ** 64n ? 'value out of range' : undefined;
  if (problem === undefined) return undefined;
  return `resourceVersion: Invalid value: ${quote(text)}: strconv.ParseUint: parsing ${quote(text)}: ${problem}`;
}

/** Parses an int64; throws 400, for an empty text too. */
function parseInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const problem = !/^[+-]?\d+$/.test(text)
    ? 'invalid syntax'
    : BigInt.asIntN(64, BigInt(text.replace('+', ''))) !== BigInt(text.replace('+', ''))
      ? 'value out of range'
      : undefined;
  if (problem !== undefined) throw badRequest(`strconv.ParseInt: parsing ${quote(text)}: ${problem}`);
  return Number(text);
}

const matchPath = FieldPath.root.child('resourceVersionMatch');
const matches = ['NotOlderThan', 'Exact'];

function listErrors(match: string, version: string, token: string, sendInitialEvents: boolean | undefined): FieldError[] {
  const errors: FieldError[] = [];
  if (match !== '') {
    if (version === '') errors.push(forbidden(matchPath, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (token !== '') errors.push(forbidden(matchPath, 'resourceVersionMatch is forbidden when continue is provided'));
    if (!matches.includes(match)) errors.push(notSupported(matchPath, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && version === '0')
      errors.push(forbidden(matchPath, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (sendInitialEvents !== undefined)
    errors.push(forbidden(FieldPath.root.child('sendInitialEvents'), 'sendInitialEvents is forbidden for list'));
  return errors;
}

function watchErrors(match: string, token: string, sendInitialEvents: boolean | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const isNotOlder = match === 'NotOlderThan';
  if (sendInitialEvents !== undefined && !isNotOlder)
    errors.push(forbidden(matchPath, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  if (match === '') return errors;
  if (sendInitialEvents === undefined)
    errors.push(forbidden(matchPath, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
  if (!isNotOlder) errors.push(notSupported(matchPath, match, ['NotOlderThan']));
  if (token !== '') errors.push(forbidden(matchPath, 'resourceVersionMatch is forbidden when continue is provided'));
  return errors;
}
