import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { TokenAuthenticator } from './authenticator.ts';

interface TokenFile {
  readonly users: ReadonlyMap<string, UserInfo>;
  /** Lines that have no effect, or take it from others. */
  readonly warnings: readonly string[];
}

/**
 * Reads the users of a file of static tokens: records of token, user name, uid and, optionally, groups with commas between them.
 * Throws an Error with upstream's message for a file that is malformed.
 */
export function parseTokenFile(text: string, file: string): TokenFile {
  const users = new Map<string, UserInfo>();
  const warnings: string[] = [];
  for (const [index, record] of parseRecords(text).entries()) {
    const [token = '', name = '', uid = '', groups = ''] = record;
    if (record.length < 3)
      throw new Error(`token file '${file}' must have at least 3 columns (token, user name, user uid), found ${record.length}`);
    const place = `in token file '${file}', record number '${index + 1}'`;
    if (token === '') {
      warnings.push(`empty token has been found ${place}`);
      continue;
    }
    if (users.has(token)) warnings.push(`duplicate token has been found ${place}`);
    users.set(token, { name, uid, groups: groups === '' ? [] : groups.split(',') });
  }
  return { users, warnings };
}

/** Authenticates the tokens of a file, for the API server's own audiences. */
export function tokenFileAuthenticator(users: ReadonlyMap<string, UserInfo>, audiences: readonly string[]): TokenAuthenticator {
  return {
    authenticateToken(token, wanted) {
      const granted = wanted.length === 0 ? audiences : wanted.filter((one) => audiences.includes(one));
      const user = granted.length === 0 ? undefined : users.get(token);
      return user && { user, audiences: granted };
    },
  };
}

/** The records of comma-separated values, read and refused as by Go's encoding/csv. Empty lines are no records. */
function parseRecords(text: string): string[][] {
  const records: string[][] = [];
  const lines = text.match(/[^\n]*\n|[^\n]+/g) ?? [];
  for (let number = 0; number < lines.length; number++) {
    const first = number;
    let line = withoutCarriageReturn(lines[number] ?? '');
    if (line === '\n' || line === '') continue;
    const record: string[] = [];
    const fail = (at: number, reason: string): never => {
      const place = `parse error on line ${number + 1}, column ${at + 1}: ${reason}`;
      throw new Error(first === number ? place : `record on line ${first + 1}; ${place}`);
    };
    let at = 0;
    for (let isOver = false; !isOver; ) {
      if (line[at] === '"') {
        let field = '';
        for (at++; ; ) {
          const quote = line.indexOf('"', at);
          if (quote < 0) {
            field += line.slice(at);
            const next = lines[number + 1];
            if (next === undefined) fail(Buffer.byteLength(line), 'extraneous or missing " in quoted-field');
            number++;
            [line, at] = [withoutCarriageReturn(next ?? ''), 0];
            continue;
          }
          field += line.slice(at, quote);
          at = quote + 1;
          if (line[at] !== '"') break;
          field += '"';
          at++;
        }
        if (!['\n', ',', undefined].includes(line[at]))
          fail(Buffer.byteLength(line.slice(0, at - 1)), 'extraneous or missing " in quoted-field');
        record.push(field);
      } else {
        const end = line.slice(at).search(/[,\n]|$/) + at;
        const quote = line.slice(at, end).indexOf('"');
        if (quote >= 0) fail(Buffer.byteLength(line.slice(0, at + quote)), 'bare " in non-quoted-field');
        record.push(line.slice(at, end));
        at = end;
      }
      isOver = line[at] !== ',';
      at++;
    }
    records.push(record);
  }
  return records;
}

function withoutCarriageReturn(line: string): string {
  return line.replace(/\r\n$/, '\n');
}
