const encoder = new TextEncoder();
const ascii = /^[\0-\x7f]*$/;

/** Bytes of the text in UTF-8. */
export function utf8Length(text: string): number {
  return ascii.test(text) ? text.length : encoder.encode(text).length;
}

/** Whether the text has more than `maxBytes` bytes in UTF-8. Does not read the text if its length already decides. */
export function isLongerThan(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && utf8Length(text) > maxBytes;
}

/** Orders strings by their UTF-8 bytes, as Go and etcd do. JavaScript's `<` differs beyond the basic multilingual plane. */
export function compareUTF8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above U+FFFF, so they sort after 0xe000-0xffff.
    const isSurrogateX = x >= 0xd800 && x <= 0xdfff;
    const isSurrogateY = y >= 0xd800 && y <= 0xdfff;
    if (isSurrogateX !== isSurrogateY) return isSurrogateX ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}
