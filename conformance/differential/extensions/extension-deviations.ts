import type { Outcome } from './compare-outcomes.ts';
import type { BothRequest } from './two-servers.ts';

interface Differing {
  readonly request: BothRequest;
  readonly theirs: Outcome;
  readonly ours: Outcome;
}

interface Deviation {
  readonly reason: string;
  matches(differing: Differing): boolean;
}

/** Go 1.24 has put the path within a schema into the errors of its JSON reader. */
const decodeField = /Go struct field JSONSchemaProps\.[\w.]+ of type/;

/** A message of structured-merge-diff without what its versions show differently. */
const withoutMerging = (message: string): string =>
  message
    .replaceAll(
      /omits (?:key field "[^"]*" \(and doesn't have default value\)|all key fields \[[^\]]*\] \(and doesn't have default values for any key fields\))/g,
      'omits a key',
    )
    .replaceAll(/got &(?:value\.valueUnstructured)?\{.*\}$/gm, 'got a value')
    .replace(': errors:\n', ': ')
    .replace(/: ( *\.)/, ':\n$1')
    .replaceAll(/^ +/gm, '');

const deviations: readonly Deviation[] = [
  {
    reason: 'v1.32 names less of the path to a value of a wrong type in a schema (Go before 1.24)',
    matches: ({ theirs, ours }) => theirs.status === 400 && decodeField.test(theirs.message) && decodeField.test(ours.message),
  },
  {
    reason:
      'v1.32 names the first missing key of an associative list; v1.36 all of them (structured-merge-diff v6), and values without their Go types',
    matches: ({ theirs, ours }) =>
      theirs.status === 500 && ours.status === 500 && withoutMerging(theirs.message) === withoutMerging(ours.message),
  },
  {
    reason: 'kube-apiserver stops at the first field of a map that is not declared, in a random order; kubets names all',
    matches: ({ theirs, ours }) => {
      const shown = new Set(withoutMerging(ours.message).split('\n'));
      return (
        ours.message.includes('field not declared in schema') &&
        withoutMerging(theirs.message)
          .split('\n')
          .every((line) => line === 'errors:' || shown.has(line))
      );
    },
  },
  {
    reason: 'an apply over a live object that no longer fits its schema fails with 500; kubets merges it and validates the result',
    matches: ({ theirs }) => theirs.status === 500 && theirs.message.includes('failed to create typed live object'),
  },
  {
    reason: 'a PUT with a uid of what is not there is 409 before it is 404',
    matches: ({ request, theirs, ours }) =>
      request.method === 'PUT' && theirs.status === 409 && ours.status === 404 && theirs.message.includes('UID in object meta: '),
  },
  {
    reason: 'kube-apiserver confuses name and namespace of the Service of a webhook when one is missing',
    matches: ({ theirs, ours }) => {
      const swapped = (causes: readonly string[]) =>
        JSON.stringify(causes.map((cause) => cause.replaceAll(/service([. ])(name)?(space)?(namespace)?/g, 'service$1')).toSorted());
      return /[cC]lientConfig\.service\.name/.test(theirs.causes.join()) && swapped(theirs.causes) === swapped(ours.causes);
    },
  },
  {
    reason: 'an object of a version that is not there is refused for that alone; kube-apiserver names all its fields as unknown, too',
    matches: ({ theirs, ours }) =>
      theirs.status === 400 && theirs.message === ours.message && theirs.warnings.length > 0 && ours.warnings.length === 0,
  },
  {
    reason: 'v1.32 knows a cel-go that names undefined fields by their type, and no quoted identifiers',
    matches: ({ theirs, ours }) => {
      const shown = (causes: readonly string[]) =>
        causes.map((cause) =>
          cause
            .replace(', ESC_IDENTIFIER', '')
            .replace(/(?:expected type of field '\w+' is '' but provided type is '\w+'|undefined field '\w+')/, 'undefined field'),
        );
      return theirs.status === 422 && ours.status === 422 && JSON.stringify(shown(theirs.causes)) === JSON.stringify(shown(ours.causes));
    },
  },
  {
    reason: 'rules on old values of a wrong type, which an update tolerates, fail with another text',
    matches: ({ ours }) => ours.causes.some((cause) => cause.includes('invalid data, expected ')),
  },
  {
    reason: 'kube-apiserver panics at selectable fields of a schema that has no structural form',
    matches: ({ request, theirs, ours }) =>
      theirs.status === 0 && ours.status === 422 && JSON.stringify(request.body).includes('selectableFields'),
  },
];

/** The reason of a difference that is known. */
export const deviationOf = (differing: Differing): string | undefined => deviations.find((one) => one.matches(differing))?.reason;
