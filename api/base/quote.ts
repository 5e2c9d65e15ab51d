const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
/** Characters that Go and CEL write by a name, between double quotes. */
export const namedEscapes: ReadonlyMap<string, string> = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
  ['"', '\\"'],
]);

/** The text in double quotes with everything unprintable escaped, as Go's %q does: how messages of the API show strings. */
export function quote(text: string): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  let quoted = '"';
  for (const character of text.toWellFormed()) {
    const code = character.codePointAt(0) ?? 0;
    const escaped = namedEscapes.get(character);
    if (escaped !== undefined) quoted += escaped;
    else if (printable.test(character)) quoted += character;
    else if (code < 0x20 || code === 0x7f) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code > 0xffff) quoted += `\\U${code.toString(16).padStart(8, '0')}`;
    else quoted += `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return `${quoted}"`;
}
