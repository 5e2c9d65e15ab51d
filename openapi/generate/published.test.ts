import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { generateDocuments } from './documents.ts';
import { factsFolder, loadFacts } from './facts.ts';
import { loadParameterTexts } from './parameter-texts.ts';
import { loadTexts } from './texts.ts';

/**
 * The OpenAPI v2 that v1.36 publishes, reduced to names and digests: of every operation (with its parameters in full and without
 * texts) and of every definition (without texts), and the enums and declared defaults that go beside them. Upstream's published
 * snapshot has no enums, a server has them.
 */
interface Published {
  readonly paths: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly definitions: Readonly<Record<string, string>>;
  readonly parameters: readonly string[];
  /** `definition.field`: values. */
  readonly enums: Readonly<Record<string, readonly string[]>>;
  readonly defaults: Readonly<Record<string, unknown>>;
}

type JSONObject = Record<string, unknown>;

const isObject = (value: unknown): value is JSONObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Without texts and enums, keys in order. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(
    ([key, item]) => !(key === 'description' && typeof item === 'string') && !(key === 'enum' && Array.isArray(item)),
  );
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, bare(item)]));
}

function digest(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(bare(value)))
    .digest('hex')
    .slice(0, 12);
}

function objectAt(value: JSONObject, ...keys: readonly string[]): JSONObject {
  let at: unknown = value;
  for (const key of keys) at = isObject(at) ? at[key] : undefined;
  return isObject(at) ? at : {};
}

const facts = loadFacts();
const documents = generateDocuments(facts, loadTexts(facts), loadParameterTexts());
const v2: JSONObject = documents.get('v2.json') ?? {};
const published: Published = JSON.parse(readFileSync(new URL('published-v2.json', factsFolder), 'utf8'));

/** In full and in an order of their own, as the digests have them. */
function fullParameters(list: unknown): unknown[] {
  const full = (Array.isArray(list) ? list : []).map((parameter: JSONObject) =>
    bare(typeof parameter['$ref'] === 'string' ? objectAt(v2, 'parameters', parameter['$ref'].split('/').at(-1) ?? '') : parameter),
  );
  return full
    .map((parameter) => JSON.stringify(parameter))
    .sort()
    .map((text) => JSON.parse(text));
}

describe('OpenAPI v2 is that of v1.36', () => {
  it('in every path and operation', () => {
    const paths = Object.entries(objectAt(v2, 'paths')).map(([path, item]) => {
      const operations = Object.entries(isObject(item) ? item : {}).map(([method, operation]) => {
        if (!isObject(operation)) return [method, digest(fullParameters(operation))];
        const { parameters, ...rest } = operation;
        const digested = digest(parameters === undefined ? rest : { ...rest, parameters: fullParameters(parameters) });
        return [method, `${String(operation['operationId'])} ${digested}`];
      });
      return [path, Object.fromEntries(operations)];
    });
    assert.deepEqual(Object.fromEntries(paths), published.paths);
  });

  it('in every definition', () => {
    const definitions = Object.entries(objectAt(v2, 'definitions')).map(([name, definition]) => [name, digest(definition)]);
    assert.deepEqual(Object.fromEntries(definitions), published.definitions);
  });

  it('in the names of shared parameters, which say that their texts are the same too', () =>
    assert.deepEqual(Object.keys(objectAt(v2, 'parameters')), published.parameters));
});

describe('OpenAPI v3 is that of v1.36', () => {
  const schemas: JSONObject = Object.assign({}, ...[...documents.values()].map((document) => objectAt(document, 'components', 'schemas')));
  const fields = Object.entries(schemas).flatMap(([name, schema]) =>
    Object.entries(isObject(schema) ? objectAt(schema, 'properties') : {}).map(([field, of]): [string, JSONObject] => [
      `${name}.${field}`,
      isObject(of) ? of : {},
    ]),
  );

  it('in every definition that version 2 has', () =>
    assert.deepEqual(Object.keys(schemas).sort(), Object.keys(published.definitions).sort()));

  it('in every enum', () => {
    const enums = fields.flatMap(([name, field]) => {
      const values = field['enum'] ?? objectAt(field, 'items')['enum'] ?? objectAt(field, 'additionalProperties')['enum'];
      return values === undefined ? [] : [[name, values]];
    });
    assert.deepEqual(Object.fromEntries(enums), published.enums);
  });

  it('in every declared default', () => {
    const byName = new Map(fields);
    for (const [name, value] of Object.entries(published.defaults)) assert.deepEqual(byName.get(name)?.['default'], value, name);
  });
});
