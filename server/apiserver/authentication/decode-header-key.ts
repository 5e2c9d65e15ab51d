/** A key of extra information out of the name of a header: percent-encoded where such a name cannot hold it. */
export function decodeHeaderKey(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
