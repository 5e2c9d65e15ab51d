import { InvalidArgumentError } from 'commander';
import { parseCIDR } from '../../../api/base/ip-address.ts';
import { parseDurationMs } from '../../../api/meta/duration.ts';

export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new InvalidArgumentError('a port is a number from 0 to 65535.');
  return port;
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) throw new InvalidArgumentError('it is a number, 0 or more.');
  return count;
}

/** Milliseconds. */
export function parseDuration(text: string): number {
  try {
    const ms = parseDurationMs(text);
    if (ms >= 0) return ms;
  } catch {
    // reported below
  }
  throw new InvalidArgumentError('it is a duration such as 30s or 1m30s.');
}

/** Parses one range of addresses, or one of each family. */
export function parseServiceCIDRs(text: string): readonly [string, ...string[]] {
  const [first, ...others] = text.split(',');
  const versions = [first ?? '', ...others].map((one) => parseCIDR(one)?.address.version);
  if (first === undefined || versions.includes(undefined)) throw new InvalidArgumentError('it is a range such as 10.96.0.0/12.');
  if (new Set(versions).size < versions.length) throw new InvalidArgumentError('two ranges are one of IPv4 and one of IPv6.');
  return [first, ...others];
}

export function parseBoolean(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('it is true or false.');
  return text === 'true';
}

/** Names with commas between them. */
export function parseNames(text: string): readonly string[] {
  return text === '' ? [] : text.split(',');
}
