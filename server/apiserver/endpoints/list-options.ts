import { quote } from '../../../api/base/quote.ts';
import { badRequest, invalid as invalidObject } from '../../../api/meta/status-errors.ts';
import { type FieldError, forbidden, notSupported } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { RequestContext } from '../request-context.ts';
import { isTrue } from '../request-info.ts';

/** Options of list and watch as they stand in the query. */
export interface ListOptions {
  /** undefined: not given. */
  readonly resourceVersion?: number;
  readonly match: '' | 'NotOlderThan' | 'Exact';
  readonly limit: number;
  readonly token: string;
  readonly allowBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

export function parseListOptions({ query }: RequestContext, isWatch: boolean): ListOptions {
  const match = query.get('resourceVersionMatch') ?? '';
  const versionText = query.get('resourceVersion') ?? '';
  const token = isWatch ? '' : (query.get('continue') ?? '');
  const sendInitialEvents = query.has('sendInitialEvents') ? isTrue(query.get('sendInitialEvents')) : undefined;
  const errors = isWatch ? watchErrors(match, sendInitialEvents) : listErrors(match, versionText, token, sendInitialEvents);
  if (errors.length > 0) throw invalidObject({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
  const resourceVersion = versionText === '' ? undefined : parseResourceVersion(versionText);
  return {
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    match: match as ListOptions['match'],
    limit: parseNumber(query.get('limit')) ?? 0,
    token,
    allowBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents,
    timeoutSeconds: parseNumber(query.get('timeoutSeconds')),
  };
}

/** Throws 400 in the words of upstream's lists. A revision that no store will ever reach is the largest one. */
export function parseResourceVersion(text: string): number {
  const problem = !/^\d+$/.test(text) ? 'invalid syntax' : BigInt(text) >= 2n ** 64n ? 'value out of range' : undefined;
  if (problem === undefined) return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
  const parsed = `strconv.ParseUint: parsing ${quote(text)}: ${problem}`;
  throw badRequest(`invalid resource version: resourceVersion: Invalid value: ${quote(text)}: ${parsed}`);
}

function parseNumber(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^-?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`);
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

function watchErrors(match: string, sendInitialEvents: boolean | undefined): FieldError[] {
  if (sendInitialEvents !== undefined && match === '')
    return [forbidden(matchPath, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')];
  if (sendInitialEvents === undefined && match !== '')
    return [forbidden(matchPath, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')];
  if (match !== '' && match !== 'NotOlderThan') return [notSupported(matchPath, match, ['NotOlderThan'])];
  return [];
}
