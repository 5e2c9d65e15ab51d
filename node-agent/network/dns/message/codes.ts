/** Numbers of RFC 1035 and its successors, as far as they are needed here. */
export const recordType = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const;

export const responseCode = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;

export const internetClass = 1;
export const anyClass = 255;

/** Bits of the header's second word. */
export const flag = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
};

export function opcodeOf(flags: number): number {
  return (flags >> 11) & 15;
}
