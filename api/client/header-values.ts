import type { APIRequest } from './transport.ts';

/** The values of a header (lower case), one for each line that it came in. */
export function headerValues(
  { headers, repeatedHeaders }: Pick<APIRequest, 'headers' | 'repeatedHeaders'>,
  name: string,
): readonly string[] {
  const repeated = repeatedHeaders?.[name];
  if (repeated) return repeated;
  const value = headers[name];
  return value === undefined ? [] : [value];
}
