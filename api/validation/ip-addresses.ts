import { quote } from '../base/quote.ts';
import { formatCIDR, formatIP, type IPAddress, isIPv4Mapped, networkAddress, parseCIDR, parseIP } from '../base/ip-address.ts';
import { type FieldError, invalid } from './field-error.ts';
import type { FieldPath } from './field-path.ts';

/** An IP address in any spelling but with leading zeros: the rule of API fields that are older than canonical addresses. */
export function validateIP(path: FieldPath, value: string): FieldError[] {
  const address = parseIP(value, { leadingZeros: true });
  if (address === undefined) {
    return [invalid(path, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')];
  }
  if (parseIP(value) === undefined) return [invalid(path, value, 'must not have leading 0s')];
  return isIPv4Mapped(address) ? [invalid(path, value, 'must not be an IPv4-mapped IPv6 address')] : [];
}

/** An IP address in canonical form: the rule of newer fields. */
export function validateCanonicalIP(path: FieldPath, value: string): FieldError[] {
  const errors = validateIP(path, value);
  const address = parseIP(value);
  if (errors.length > 0 || address === undefined || formatIP(address) === value) return errors;
  return [invalid(path, value, `must be in canonical form (${quote(formatIP(address))})`)];
}

/** A network in any spelling but with leading zeros or bits beyond its prefix. */
export function validateCIDR(path: FieldPath, value: string): FieldError[] {
  if (parseCIDR(value, { leadingZeros: true }) === undefined) {
    return [invalid(path, value, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')];
  }
  const cidr = parseCIDR(value);
  if (cidr === undefined) return [invalid(path, value, 'must not have leading 0s in IP or prefix length')];
  if (isIPv4Mapped(cidr.address)) return [invalid(path, value, 'must not have an IPv4-mapped IPv6 address')];
  if (networkAddress(cidr).value === cidr.address.value) return [];
  return [invalid(path, value, 'must not have bits set beyond the prefix length')];
}

export function validateCanonicalCIDR(path: FieldPath, value: string): FieldError[] {
  const errors = validateCIDR(path, value);
  const cidr = parseCIDR(value);
  if (errors.length > 0 || cidr === undefined || formatCIDR(cidr) === value) return errors;
  return [invalid(path, value, `must be in canonical form (${quote(formatCIDR(cidr))})`)];
}

/** The warning for an address that is valid but not spelled canonically. */
export function ipWarnings(path: FieldPath, value: string): string[] {
  const address: IPAddress | undefined = parseIP(value, { leadingZeros: true });
  if (address === undefined) return [];
  const canonical = formatIP(address);
  if (parseIP(value) === undefined || isIPv4Mapped(address)) {
    return [`${path}: non-standard IP address ${quote(value)} is invalid: use ${quote(canonical)}`];
  }
  if (address.version === 4 || canonical === value) return [];
  return [`${path}: IPv6 address ${quote(value)} should be in RFC 5952 canonical format (${quote(canonical)})`];
}
