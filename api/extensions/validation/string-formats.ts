import { parseCIDR, parseIP } from '../../base/ip-address.ts';
import { parseDurationText } from '../../cel/types/time-values.ts';
import { Failure } from '../../cel/types/values.ts';
import { isRequestURI } from '../../cel/libraries/request-uri.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../validation/names.ts';

/** A format of text that the server checks. */
interface StringFormat {
  readonly name: string;
  readonly matches: (text: string) => boolean;
}

/** Addresses and durations are short; their readers are made for that. */
const isShort = (text: string) => text.length <= 1000;
const matching = (pattern: RegExp) => (text: string) => pattern.test(text);
const leadingZeros = { leadingZeros: true };

/** No repeated group of these contains another repeated group, so matching takes linear time. */
const patterns = {
  uuid: /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  uuid3: /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  uuid4: /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i,
  uuid5: /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i,
  bsonobjectid: /^[0-9a-fA-F]{24}$/,
  hexcolor: /^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/,
  rgbcolor:
    /^rgb\([\t\n\f\r ]*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])[\t\n\f\r ]*,[\t\n\f\r ]*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])[\t\n\f\r ]*,[\t\n\f\r ]*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])[\t\n\f\r ]*\)$/,
  byte: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/,
};

const creditCard =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;
const dateTime = /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/;
const hostLabel = /^[\p{S}\p{L}a-zA-Z0-9](?:[-\p{S}\p{L}a-zA-Z0-9]{0,61}[\p{S}\p{L}a-zA-Z0-9])?$/u;
const singleHost = /^[\p{S}\p{L}a-zA-Z0-9](?:-?[\p{S}\p{L}a-zA-Z0-9]{0,62})?$/u;
const topLevel = /^[\p{L}a-zA-Z]{2,63}$/u;

const formats = new Map<string, (text: string) => boolean>([
  ...Object.entries(patterns).map(([name, pattern]) => [name, matching(pattern)] as const),
  ['uri', isRequestURI],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', (text) => isShort(text) && text.includes('.') && parseIP(text, leadingZeros) !== undefined],
  ['ipv6', (text) => isShort(text) && text.includes(':') && parseIP(text) !== undefined],
  ['cidr', (text) => isShort(text) && parseCIDR(text, leadingZeros) !== undefined],
  ['mac', isMAC],
  ['isbn', (text) => isISBN10(text) || isISBN13(text)],
  ['isbn10', isISBN10],
  ['isbn13', isISBN13],
  ['creditcard', isCreditCard],
  ['ssn', (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text) && text.length === 11],
  ['password', () => true],
  ['date', isDate],
  ['duration', isDuration],
  ['datetime', isDateTime],
  ['k8sshortname', (text) => dns1123LabelProblems(text).length === 0],
  ['k8slongname', (text) => dns1123SubdomainProblems(text).length === 0],
]);

/** The format of that name (dashes are ignored); undefined for a format that the server does not know and ignores. */
export function findFormat(name: string): StringFormat | undefined {
  const matches = formats.get(name.replaceAll('-', ''));
  return matches && { name, matches };
}

/** An address as mail headers have it, with or without a name: `a@b.c`, `Ann <a@b.c>`. */
function isEmail(text: string): boolean {
  const angle = /^[^<>]*<([^<>]+)>\s*$/.exec(text);
  const address = (angle?.[1] ?? text).trim();
  const at = address.lastIndexOf('@');
  if (at <= 0) return false;
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  const isAtoms = (part: string) => part.split('.').every((atom) => /^[\w!#$%&'*+/=?^`{|}~\u0080-\uffff-]+$/.test(atom));
  const isQuoted = local.length > 2 && local.startsWith('"') && local.endsWith('"') && !local.slice(1, -1).includes('"');
  return (isQuoted || isAtoms(local)) && (isAtoms(domain) || /^\[[^[\]\\]*\]$/.test(domain));
}

function isHostname(text: string): boolean {
  if (text.length > 255) return false;
  const labels = text.split('.');
  const last = labels.at(-1) ?? '';
  const isWellFormed = labels.length === 1 ? singleHost.test(text) : labels.slice(0, -1).every(matching(hostLabel)) && topLevel.test(last);
  const bytes = (part: string) => new TextEncoder().encode(part).length;
  return isWellFormed && bytes(text) <= 255 && labels.every((label) => bytes(label) <= 63);
}

function isMAC(text: string): boolean {
  const separator = text.charAt(2);
  if (separator === ':' || separator === '-') {
    const groups = text.split(separator);
    return [6, 8, 20].includes(groups.length) && groups.every(matching(/^[0-9a-fA-F]{2}$/));
  }
  const groups = text.split('.');
  return [3, 4, 10].includes(groups.length) && groups.every(matching(/^[0-9a-fA-F]{4}$/));
}

function digitsOf(text: string): string {
  return text.replaceAll(/[\t\n\f\r -]+/g, '');
}

function isISBN10(text: string): boolean {
  const digits = digitsOf(text);
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = [...digits].reduce((total, digit, index) => total + (index + 1) * (digit === 'X' ? 10 : Number(digit)), 0);
  return sum % 11 === 0;
}

function isISBN13(text: string): boolean {
  const digits = digitsOf(text);
  if (!/^\d{13}$/.test(digits)) return false;
  const sum = [...digits].reduce((total, digit, index) => total + (index % 2 === 0 ? 1 : 3) * Number(digit), 0);
  return sum % 10 === 0;
}

function isCreditCard(text: string): boolean {
  const digits = text.replaceAll(/\D+/g, '');
  if (!creditCard.test(digits)) return false;
  const sum = [...digits].toReversed().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    return total + (value >= 10 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

function isDate(text: string): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!parts) return false;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t');
  if (time === undefined || !isDate(date)) return false;
  const parts = dateTime.exec(time);
  return parts !== null && (parts[1] ?? '') <= '23' && (parts[2] ?? '') <= '59' && (parts[3] ?? '') <= '59';
}

/** The words for units that a duration may be given in besides Go's, the last of each also as the beginning of a word. */
const units = [
  ['ns', 'nano'],
  ['us', 'µs', 'micro'],
  ['ms', 'milli'],
  ['s', 'sec'],
  ['m', 'min'],
  ['h', 'hr', 'hour'],
  ['d', 'day'],
  ['w', 'wk', 'week'],
];

/** Whether the text is a Go duration, or a text such as `2 days 3 hours` with at least one part that can be parsed. */
function isDuration(text: string): boolean {
  if (!isShort(text)) return false;
  try {
    parseDurationText(text);
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
  let isRead = false;
  for (const [, factor = '', word = ''] of text.matchAll(/(\d{1,20})\s*([A-Za-zµ]+)/g)) {
    if (BigInt(factor) > 2n ** 63n - 1n) return false;
    const unit = word.toLowerCase();
    isRead ||= units.some((variants) => variants.includes(unit) || unit.startsWith(variants.at(-1) ?? unit));
  }
  return isRead;
}
