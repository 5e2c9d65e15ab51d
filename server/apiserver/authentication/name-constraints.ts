import { DERError, type DERElement, readDER, readDERElements } from '../../../api/base/der.ts';

/** Names that the holders of certificates below an authority may have (RFC 5280, 4.2.1.10). */
interface NameConstraints {
  readonly permitted: readonly Constraint[];
  readonly excluded: readonly Constraint[];
  /** Whether there are constraints of a kind that is not evaluated. */
  readonly hasOthers: boolean;
}

type Kind = 'dns' | 'email' | 'uri' | 'ip';

interface Constraint {
  readonly kind: Kind;
  /** Of an IP: address and mask. */
  readonly value: Uint8Array;
}

const kinds: ReadonlyMap<number, Kind> = new Map([
  [1, 'email'],
  [2, 'dns'],
  [6, 'uri'],
  [7, 'ip'],
]);

/** Reads the value of the extension. Throws DERError. */
export function parseNameConstraints(value: Uint8Array): NameConstraints {
  const parts = readDERElements(readDER(value).content);
  const [permitted, excluded] = [0xa0, 0xa1].map((tag) => readSubtrees(parts.find((part) => part.tag === tag)));
  if (!permitted || !excluded || permitted.list.length + excluded.list.length + permitted.others + excluded.others === 0)
    throw new DERError('structure error: name constraints without any');
  return { permitted: permitted.list, excluded: excluded.list, hasOthers: permitted.others + excluded.others > 0 };
}

function readSubtrees(part: DERElement | undefined): { readonly list: readonly Constraint[]; readonly others: number } {
  const list: Constraint[] = [];
  let others = 0;
  for (const subtree of part ? readDERElements(part.content) : []) {
    const [base] = readDERElements(subtree.content);
    if (!base) throw new DERError('structure error: a subtree without a name');
    const kind = kinds.get(base.tag & 0x1f);
    if (kind === undefined || (base.tag & 0xe0) !== 0x80) others++;
    else list.push(checkConstraint({ kind, value: base.content }));
  }
  return { list, others };
}

function checkConstraint(constraint: Constraint): Constraint {
  const { kind, value } = constraint;
  const text = textOf(value);
  const domain = kind === 'email' && text.includes('@') ? text.slice(text.lastIndexOf('@') + 1) : text.replace(/^\./, '');
  const isGood = kind === 'ip' ? value.length === 8 || value.length === 32 : domain === '' || labelsOf(domain) !== undefined;
  if (!isGood || (kind === 'uri' && isAddress(domain))) throw new DERError(`structure error: a malformed constraint of kind ${kind}`);
  return constraint;
}

/** Whether all alternative names (the value of that extension) are allowed. Names that cannot be read are not. */
export function allowsNames({ permitted, excluded }: NameConstraints, alternativeNames: Uint8Array): boolean {
  return readDERElements(readDER(alternativeNames).content).every(({ tag, content }) => {
    const kind = kinds.get(tag & 0x1f);
    if (kind === undefined) return true;
    const name = readName(kind, content);
    if (name === undefined) return false;
    const matching = (list: readonly Constraint[]) => list.filter((one) => one.kind === kind).map((one) => matches(name, one));
    const [allowed, forbidden] = [matching(permitted), matching(excluded)];
    if (forbidden.some((match) => match !== false)) return false;
    return allowed.length === 0 || allowed.includes(true);
  });
}

interface Name {
  readonly bytes: Uint8Array;
  /** Of an email address: before the `@`. */
  readonly local: string;
  /** The last label first; undefined: a URI without a host that has a name. */
  readonly labels: readonly string[] | undefined;
}

function readName(kind: Kind, bytes: Uint8Array): Name | undefined {
  if (kind === 'ip') return bytes.length === 4 || bytes.length === 16 ? { bytes, local: '', labels: [] } : undefined;
  const text = textOf(bytes);
  if (kind === 'uri') {
    const authority = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/([^/?#]*))?/.exec(text);
    if (!authority) return undefined;
    const host = (authority[1] ?? '').replace(/^.*@/, '').replace(/:\d*$/, '');
    return { bytes, local: '', labels: host === '' || isAddress(host) ? undefined : labelsOf(host) };
  }
  const at = kind === 'email' ? text.lastIndexOf('@') : -1;
  if (kind === 'email' && (at <= 0 || /[^!-~]|["\\,;<>()[\]:]/.test(text))) return undefined;
  const labels = labelsOf(text.slice(at + 1));
  return labels && { bytes, local: text.slice(0, Math.max(at, 0)), labels };
}

/** undefined: the name is of a kind that cannot be compared. */
function matches(name: Name, { kind, value }: Constraint): boolean | undefined {
  if (kind === 'ip') {
    const { length } = name.bytes;
    const isInside = (byte: number, index: number) => ((byte ^ (value[index] ?? 0)) & (value[length + index] ?? 0)) === 0;
    return value.length === 2 * length && name.bytes.every(isInside);
  }
  if (name.labels === undefined) return undefined;
  const text = textOf(value);
  const at = text.lastIndexOf('@');
  if (kind !== 'email' || at < 0) return isBelow(name.labels, text);
  return name.local === text.slice(0, at) && isSame(name.labels, labelsOf(text.slice(at + 1)) ?? []);
}

/** Whether a domain equals a constraint's domain or lies below it; a constraint with a leading dot matches only domains below it. */
function isBelow(labels: readonly string[], constraint: string): boolean {
  if (constraint === '') return true;
  const wanted = labelsOf(constraint.replace(/^\./, '')) ?? [];
  if (labels.length < wanted.length || (constraint.startsWith('.') && labels.length === wanted.length)) return false;
  return isSame(labels.slice(0, wanted.length), wanted);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((label, index) => label === b[index]);
}

/** The labels of a domain in lower case, the last one first; undefined: the text is not a domain. */
function labelsOf(domain: string): readonly string[] | undefined {
  const labels = domain.toLowerCase().split('.').toReversed();
  return labels.every((label) => /^[!-~]+$/.test(label)) ? labels : undefined;
}

function isAddress(host: string): boolean {
  return /^\[|^[0-9.]+$/.test(host) || host.includes(':');
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
