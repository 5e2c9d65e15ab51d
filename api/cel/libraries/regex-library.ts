import { declare, member } from './declare.ts';
import { compileRegex as compile } from '../run/regex.ts';
import { intType, listType, stringType } from '../types/types.ts';
import { Failure, NativeList } from '../types/values.ts';
import type { Library } from '../declarations.ts';

function compileRegex(pattern: string): ReturnType<typeof compile> {
  try {
    return compile(pattern);
  } catch (error) {
    throw error instanceof Failure ? new Failure(`Illegal regex: ${error.message}`) : error;
  }
}

function find(text: string, pattern: string): string {
  const matcher = compileRegex(pattern).matcher(text);
  return matcher.find() ? (matcher.group() ?? '') : '';
}

/** The matches, no more than `limit` of them where that is not negative. An empty match right after a match is none. */
function findAll(text: string, pattern: string, limit = -1n): NativeList {
  const matcher = compileRegex(pattern).matcher(text);
  const found: string[] = [];
  let lastEnd = -1;
  while ((limit < 0n || BigInt(found.length) < limit) && matcher.find()) {
    const isEmpty = matcher.end() === matcher.start();
    if (!isEmpty || matcher.start() !== lastEnd) found.push(matcher.group() ?? '');
    lastEnd = matcher.end();
  }
  return new NativeList(found);
}

export const regexLibrary: Library = {
  functions: [
    declare('find', member('string_find_string', [stringType, stringType], stringType, find)),
    declare(
      'findAll',
      member('string_find_all_string', [stringType, stringType], listType(stringType), (text: string, pattern: string) =>
        findAll(text, pattern),
      ),
      member(
        'string_find_all_string_int',
        [stringType, stringType, intType],
        listType(stringType),
        (text: string, pattern: string, limit: bigint) => findAll(text, pattern, limit),
      ),
    ),
  ],
};
