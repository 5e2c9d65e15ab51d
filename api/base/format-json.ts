/** ECMAScript's JSON.rawJSON, which the type library does not know yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** JSON text, compact unless an indentation is asked for; bigints are written as integers. */
export function formatJSON(value: unknown, indentation = 0): string {
  try {
    return JSON.stringify(value, undefined, indentation);
  } catch {
    // Bigints make JSON.stringify throw. They are so rare that looking for them every time would cost more.
    return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? rawJSON(String(item)) : item), indentation);
  }
}
