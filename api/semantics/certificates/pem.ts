import { decodeBase64 } from '../../base/base64.ts';

/** A block of a PEM text (RFC 7468, and the headers of RFC 1421), as Go's encoding/pem reads it. */
interface PEMBlock {
  readonly type: string;
  readonly hasHeaders: boolean;
  readonly bytes: Uint8Array;
}

const begin = /^-----BEGIN (.*)-----\s*$/;

/** The PEM blocks of a text, in order. Malformed blocks and the text between blocks are skipped. */
export function* readPEMBlocks(text: string): Generator<PEMBlock> {
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const type = begin.exec(lines[at] ?? '')?.[1];
    if (type === undefined) continue;
    let end = at + 1;
    while (end < lines.length && lines[end]?.startsWith('-----') !== true) end++;
    if (end === lines.length) return;
    const block = (lines[end] ?? '').trimEnd() === `-----END ${type}-----` ? readBlock(type, lines.slice(at + 1, end)) : undefined;
    if (block) yield block;
    // A line that did not end this block may begin the next one.
    at = block ? end : end - 1;
  }
}

function readBlock(type: string, lines: readonly string[]): PEMBlock | undefined {
  const headers = lines.findIndex((line) => !line.includes(':'));
  const body = lines.slice(Math.max(0, headers)).join('').replace(/\s/g, '');
  if (headers < 0 && lines.length > 0) return undefined;
  try {
    return { type, hasHeaders: headers > 0, bytes: decodeBase64(body) };
  } catch {
    return undefined;
  }
}
