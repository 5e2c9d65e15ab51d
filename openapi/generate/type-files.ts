import openapiTS, { astToString } from 'openapi-typescript';
import type { OpenAPI3, SchemaObject } from 'openapi-typescript';
import ts from 'typescript';
import {
  type DefinitionFact,
  type FieldFact,
  type Facts,
  fullNameOf,
  getDefinition,
  type GroupFacts,
  isNullWhenUnset,
  type ShapeFact,
} from './facts.ts';
import type { Texts } from './texts.ts';

/** Values that are no plain structs. `x-type` is TypeScript as it stands. */
const specialTypes: Readonly<Record<string, SchemaObject>> = {
  quantity: { type: 'string' },
  'date-time': { type: 'string' },
  'micro-time': { type: 'string' },
  duration: { type: 'string' },
  'int-or-string': { oneOf: [{ type: 'integer' }, { type: 'string' }] },
  'fields-v1': { 'x-type': 'Record<string, unknown>' },
  'raw-extension': {},
  json: {},
  'json-schema-or-array': { 'x-type': 'JSONSchemaProps | JSONSchemaProps[]' },
  'json-schema-or-bool': { 'x-type': 'JSONSchemaProps | boolean' },
  'json-schema-or-string-array': { 'x-type': 'JSONSchemaProps | string[]' },
} as unknown as Readonly<Record<string, SchemaObject>>;

/** Names of other files' types that this file uses. */
type Imports = Map<string, Set<string>>;

function schemaOfShape(facts: Facts, file: GroupFacts, shape: ShapeFact & { enum?: readonly string[] }, imports: Imports): SchemaObject {
  if (shape.ref !== undefined) {
    const target = getDefinition(facts, fullNameOf(file, shape.ref));
    if (target.file !== file.file) imports.set(target.file, (imports.get(target.file) ?? new Set()).add(target.shortName));
    return reference(target.shortName);
  }
  if (shape.type === 'array') return { type: 'array', items: schemaOfShape(facts, file, shape.items ?? {}, imports) } as SchemaObject;
  if (shape.type === 'map')
    return { type: 'object', additionalProperties: schemaOfShape(facts, file, shape.values ?? {}, imports) } as SchemaObject;
  return { type: shape.type, ...(shape.enum ? { enum: shape.enum } : {}) } as SchemaObject;
}

/** Rendered by `transform` below as the bare type name, since the other end may live in another file. */
function reference(name: string): SchemaObject {
  return { type: 'object', 'x-type': name } as unknown as SchemaObject;
}

function orNull(schema: SchemaObject): SchemaObject {
  const name = (schema as { 'x-type'?: string })['x-type'];
  return name === undefined ? { ...schema, nullable: true } : reference(`${name} | null`);
}

function schemaOfDefinition(
  facts: Facts,
  file: GroupFacts,
  name: string,
  fact: DefinitionFact,
  texts: Texts,
  imports: Imports,
): SchemaObject {
  const special = fact.format === undefined ? undefined : specialTypes[fact.format];
  const doc = texts.find(fullNameOf(file, name));
  const description = doc?.description;
  if (special)
    return { ...special, ...('x-type' in special ? { type: 'object' } : {}), ...(description ? { description } : {}) } as SchemaObject;
  const fields = Object.entries(fact.fields ?? {});
  const isRequired = ([field, of]: [string, FieldFact]) => of.required === true || (fact.kind === true && field === 'metadata');
  const property = ([field, of]: [string, FieldFact]) => {
    const text = doc?.fields.get(field);
    const schema = schemaOfShape(facts, file, of, imports);
    return [field, { ...(isNullWhenUnset(facts, file, of) ? orNull(schema) : schema), ...(text ? { description: text } : {}) }] as const;
  };
  return {
    type: 'object',
    ...(description ? { description } : {}),
    properties: Object.fromEntries(fields.map(property)),
    required: fields.filter(isRequired).map(([field]) => field),
  } as SchemaObject;
}

/** Picks `components.schemas` out of what openapi-typescript made and declares every member as an exported alias. */
function exportAliases(nodes: ts.Node[], descriptions: ReadonlyMap<string, string | undefined>): ts.Node[] {
  const components = nodes.find(
    (node): node is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(node) && node.name.text === 'components',
  );
  const schemas = components?.members.find(
    (member) => member.name !== undefined && ts.isIdentifier(member.name) && member.name.text === 'schemas',
  );
  if (!schemas || !ts.isPropertySignature(schemas) || !schemas.type || !ts.isTypeLiteralNode(schemas.type))
    throw new Error('openapi-typescript: no components.schemas in its output');
  return schemas.type.members.map((member) => {
    if (!ts.isPropertySignature(member) || !member.type || !ts.isIdentifier(member.name))
      throw new Error('openapi-typescript: unexpected member of components.schemas');
    const alias = ts.factory.createTypeAliasDeclaration(
      [ts.factory.createModifier(ts.SyntaxKind.ExportKeyword)],
      member.name.text,
      undefined,
      member.type,
    );
    const text = descriptions.get(member.name.text)?.replaceAll('*/', '* /');
    return text ? ts.addSyntheticLeadingComment(alias, ts.SyntaxKind.MultiLineCommentTrivia, `* ${text} `, true) : alias;
  });
}

/** TypeScript source of api/types/<file>.ts. */
export async function generateTypeFile(facts: Facts, file: GroupFacts, texts: Texts): Promise<string> {
  const imports: Imports = new Map();
  const schemas = new Map<string, SchemaObject>();
  for (const [name, fact] of Object.entries(file.definitions)) {
    schemas.set(name.slice(name.lastIndexOf('.') + 1), schemaOfDefinition(facts, file, name, fact, texts, imports));
  }
  const document: OpenAPI3 = {
    openapi: '3.0.3',
    info: { title: file.file, version: '1' },
    paths: {},
    components: { schemas: Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1))) },
  };
  const nodes = await openapiTS(document, {
    silent: true,
    defaultNonNullable: false,
    emptyObjectsUnknown: true,
    transform(schema) {
      const name = (schema as { 'x-type'?: string })['x-type'];
      return name === undefined ? undefined : ts.factory.createTypeReferenceNode(name);
    },
  });
  const aliases = exportAliases(nodes, new Map([...schemas].map(([name, schema]) => [name, schema.description])));
  const lines = [...imports]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([from, names]) => `import type { ${[...names].sort().join(', ')} } from './${from}.ts';\n`);
  return `// Generated by openapi/generate; run \`npm run generate\` instead of editing.\n${lines.join('')}\n${astToString(aliases)}`;
}
