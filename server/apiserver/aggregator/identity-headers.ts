import { serviceUnavailable } from '../../../api/meta/status-errors.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';

const encoder = new TextEncoder();
const token = /^[!#$&'*+.^_`|~0-9a-z-]$/i;
const wholeValue = /^[^\s\p{Cc}](?:[^\p{Cc}]*[^\s\p{Cc}])?$/u;

/**
 * The user of a request as headers of the front proxy. Throws 503 for names that a header cannot carry unchanged: the other
 * side would take them for those of another user.
 */
export function identityHeaders({ name, uid = '', groups, extra = {} }: UserInfo): Record<string, string | readonly string[]> {
  const headers: Record<string, string | readonly string[]> = { 'x-remote-user': whole('X-Remote-User', name) };
  if (uid !== '') headers['x-remote-uid'] = whole('X-Remote-Uid', uid);
  if (groups.length > 0) headers['x-remote-group'] = groups.map((group) => whole('X-Remote-Group', group));
  for (const [key, values] of Object.entries(extra)) {
    const header = `x-remote-extra-${escapeKey(key)}`;
    if (values.length > 0) headers[header] = values.map((value) => whole('X-Remote-Extra', value, true));
  }
  return headers;
}

function whole(header: string, value: string, mayBeEmpty = false): string {
  if (!wholeValue.test(value) && !(mayBeEmpty && value === ''))
    throw serviceUnavailable(`net/http: invalid header field value for ${JSON.stringify(header)}`);
  return value;
}

/** Percent-encodes the characters that a header's name cannot contain. */
function escapeKey(key: string): string {
  const bytes = [...encoder.encode(key)];
  return bytes
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return token.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
