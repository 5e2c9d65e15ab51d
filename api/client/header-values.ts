import type { APIRequest } from './transport.ts';

/** The values of a header (name in lower case), one for each line of the request. */
export function headerValues(
  { headers, repeatedHeaders }: Pick<APIRequest, 'headers' | 'repeatedHeaders'>,
  name: string,
): readonly string[] {
  const repeated = repeatedHeaders?.[name];
  if (repeated) return repeated;
  const value = headers[name];
  return value === undefined ? [] : [value];
}
