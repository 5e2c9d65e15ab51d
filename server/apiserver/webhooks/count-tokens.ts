/** The most values in an answer's JSON: parsing more of them would hold the event loop for too long. */
export const maxTokens = 250_000;

const quote = 0x22;
const backslash = 0x5c;
const [openList, openObject, comma] = [0x5b, 0x7b, 0x2c];

/** The number of values in JSON, about: brackets and commas outside of texts. Stops counting above `max`. */
export function countTokens(json: Uint8Array, max = maxTokens): number {
  let count = 1;
  let isText = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (isText) {
      if (byte === backslash) at++;
      else if (byte === quote) isText = false;
    } else if (byte === quote) isText = true;
    else if (byte === comma || byte === openObject || byte === openList) if (++count > max) return count;
  }
  return count;
}
