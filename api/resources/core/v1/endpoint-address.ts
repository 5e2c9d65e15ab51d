import { parseIP } from '../../../base/ip-address.ts';
import { type FieldError, invalid } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';

const reserved: readonly {
  readonly pattern: { readonly 4: (value: bigint) => boolean; readonly 6: (value: bigint) => boolean };
  readonly message: string;
}[] = [
  {
    pattern: { 4: (value) => value >> 24n === 127n, 6: (value) => value === 1n },
    message: 'may not be in the loopback range (127.0.0.0/8, ::1/128)',
  },
  {
    pattern: { 4: (value) => value >> 16n === 0xa9fen, 6: (value) => value >> 118n === 0x3fan },
    message: 'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
  },
  {
    pattern: { 4: (value) => value >> 8n === 0xe00000n, 6: (value) => value >> 112n === 0xff02n },
    message: 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  },
];

/** An address that traffic may be sent to: none that means the sender itself or its neighbours. */
export function validateEndpointAddress(text: string, path: FieldPath): FieldError[] {
  const address = parseIP(text, { leadingZeros: true });
  if (address === undefined) return [invalid(path, text, 'must be a valid IP address')];
  if (address.value === 0n) return [invalid(path, text, `may not be unspecified (${text})`)];
  return reserved.filter(({ pattern }) => pattern[address.version](address.value)).map(({ message }) => invalid(path, text, message));
}
