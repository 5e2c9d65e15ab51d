import { definitionTexts, packagesByAPIVersion } from './generated/definition-texts.ts';
import type { PropertySchema, StructuralSchema } from './structural-schema.ts';

interface ShapeFact {
  readonly ref?: string;
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'map' | 'object';
  readonly format?: string;
  readonly items?: ShapeFact;
  readonly values?: ShapeFact;
}

interface FieldFact
  extends ShapeFact,
    Pick<StructuralSchema, 'enum' | 'listType' | 'listMapKeys' | 'mapType' | 'patchStrategy' | 'patchMergeKey' | 'default' | 'goType'> {
  readonly required?: boolean;
  readonly mayBeEmpty?: boolean;
  readonly omitEmpty?: boolean;
  readonly omitZero?: boolean;
  readonly pointer?: boolean;
  readonly protobuf?: number;
  readonly protobufType?: string;
  readonly protobufParent?: readonly number[];
}

interface DefinitionFact {
  readonly format?: string;
  readonly kind?: boolean;
  readonly mapType?: 'atomic' | 'granular';
  readonly fields?: Readonly<Record<string, FieldFact>>;
  readonly defaults?: readonly (readonly [path: string, value: unknown])[];
  readonly roundedUp?: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const utilityPackage = 'util';

/** The schema facts of one package, parsed on first use. */
const parsed = new Map<string, ReadonlyMap<string, DefinitionFact>>();
const schemas = new Map<string, StructuralSchema>();

function factsOf(packageName: string): ReadonlyMap<string, DefinitionFact> | undefined {
  const known = parsed.get(packageName);
  if (known) return known;
  const text = definitionTexts.get(packageName);
  if (text === undefined) return undefined;
  const facts = new Map(Object.entries(JSON.parse(text) as Record<string, DefinitionFact>));
  parsed.set(packageName, facts);
  return facts;
}

function splitName(name: string): [packageName: string, shortName: string] {
  const dot = name.lastIndexOf('.');
  return [name.slice(0, dot), name.slice(dot + 1)];
}

/** A struct. Its properties are made when first read, so that asking for a kind does not build all that it reaches. */
class StructSchema implements StructuralSchema {
  readonly name: string;
  readonly type = 'object';
  readonly mapType?: 'atomic' | 'granular';
  readonly default?: unknown;
  readonly goType: string;
  readonly #readProperties: () => ReadonlyMap<string, PropertySchema>;
  #properties: ReadonlyMap<string, PropertySchema> | undefined;

  constructor(name: string, readProperties: () => ReadonlyMap<string, PropertySchema>, own: Pick<FieldFact, 'mapType' | 'default'>) {
    this.name = name;
    this.goType = goTypeOfReference(name);
    this.#readProperties = readProperties;
    if (own.mapType !== undefined) this.mapType = own.mapType;
    if (own.default !== undefined) this.default = own.default;
  }

  get properties(): ReadonlyMap<string, PropertySchema> {
    this.#properties ??= this.#readProperties();
    return this.#properties;
  }
}

/** Schemas of values that are no plain structs, by their format. */
function specialSchema(name: string, format: string): StructuralSchema {
  const base = { name, format, goType: goTypeOfReference(name) };
  switch (format) {
    case 'quantity':
    case 'int-or-string':
    case 'date-time':
    case 'micro-time':
    case 'duration':
      return { ...base, type: 'string' };
    case 'fields-v1':
      return { ...base, type: 'object', preserveUnknownFields: true };
    case 'json-schema-or-array':
    case 'json-schema-or-bool':
    case 'json-schema-or-string-array':
      return { ...base, type: 'any', items: getDefinitionSchema(`${splitName(name)[0]}.JSONSchemaProps`) };
    default:
      return { ...base, type: 'any', preserveUnknownFields: true };
  }
}

/** `v1.PodSpec`, `resource.Quantity`. */
function goTypeOfReference(name: string): string {
  return name.split('.').slice(-2).join('.');
}

function goTypeOfShape(shape: ShapeFact, packageName: string): string {
  if (shape.ref !== undefined) return goTypeOfReference(shape.ref.includes('.') ? shape.ref : `${packageName}.${shape.ref}`);
  switch (shape.type) {
    case 'array':
      return `[]${goTypeOfShape(shape.items ?? {}, packageName)}`;
    case 'map':
      return `map[string]${goTypeOfShape(shape.values ?? {}, packageName)}`;
    case 'boolean':
      return 'bool';
    case 'integer':
      return shape.format ?? 'int64';
    case 'number':
      return 'float64';
    default:
      return shape.format === 'byte' ? '[]uint8' : 'string';
  }
}

/** The schema of a field's value. `own` holds the facts of the field besides its shape. */
function schemaOfShape(shape: ShapeFact, packageName: string, own: Omit<FieldFact, keyof ShapeFact>): StructuralSchema {
  if (shape.ref !== undefined) {
    const target = getDefinitionSchema(shape.ref.includes('.') ? shape.ref : `${packageName}.${shape.ref}`);
    if (own.mapType === undefined && own.default === undefined && own.patchStrategy === undefined) return target;
    if (!(target instanceof StructSchema)) return { ...target, ...picked(own) };
    const withOwn = new StructSchema(target.name, () => target.properties, {
      ...(target.mapType ? { mapType: target.mapType } : {}),
      ...own,
    });
    return own.patchStrategy ? Object.assign(withOwn, { patchStrategy: own.patchStrategy }) : withOwn;
  }
  const schema: Mutable<StructuralSchema> = { type: 'string', ...picked(own) };
  schema.goType ??= goTypeOfShape(shape, packageName);
  if (shape.format !== undefined) schema.format = shape.format;
  if (shape.type === 'array') {
    schema.type = 'array';
    schema.items = schemaOfShape(shape.items ?? {}, packageName, elementOf(own, 'array'));
  } else if (shape.type === 'map') {
    schema.type = 'object';
    schema.additionalProperties = schemaOfShape(shape.values ?? {}, packageName, elementOf(own, 'map'));
  } else if (shape.type !== undefined) {
    schema.type = shape.type;
  }
  return schema;
}

/** The named Go type of elements, read out of that of the list or map. */
function elementOf(own: Pick<FieldFact, 'goType'>, container: 'array' | 'map'): Pick<FieldFact, 'goType'> {
  const element = own.goType === undefined ? undefined : /^(?:\[\]|map\[[^\]]*\])(.*)$/.exec(own.goType)?.[1];
  return element === undefined || container === undefined ? {} : { goType: element };
}

function picked(own: Omit<FieldFact, keyof ShapeFact>): Partial<StructuralSchema> {
  const schema: Mutable<Partial<StructuralSchema>> = {};
  if (own.enum !== undefined) schema.enum = own.enum;
  if (own.listType !== undefined) schema.listType = own.listType;
  if (own.listMapKeys !== undefined) schema.listMapKeys = own.listMapKeys;
  if (own.mapType !== undefined) schema.mapType = own.mapType;
  if (own.patchStrategy !== undefined) schema.patchStrategy = own.patchStrategy;
  if (own.patchMergeKey !== undefined) schema.patchMergeKey = own.patchMergeKey;
  if (own.default !== undefined) schema.default = own.default;
  if (own.goType !== undefined) schema.goType = own.goType;
  return schema;
}

/** Wire type of a protobuf field as in a .proto file: string, bytes, int32, bool, or a message's Go-like name. */
function protobufTypeOf(shape: ShapeFact, packageName: string): string {
  if (shape.type === 'array') return protobufTypeOf(shape.items ?? {}, packageName);
  if (shape.type === 'map') return `map<string, ${protobufTypeOf(shape.values ?? {}, packageName)}>`;
  if (shape.type === 'number') return 'double';
  return shape.format === 'byte' ? 'bytes' : goTypeOfShape(shape, packageName);
}

/** Group of the kinds that are stored as JSON and so keep their empty lists: CustomResourceDefinitions. */
const storedInJSON = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

function isNullWhenEmpty({ type, required, mayBeEmpty, omitEmpty, pointer, protobuf }: FieldFact, packageName: string): boolean {
  if (type !== 'array' || omitEmpty || pointer || protobuf === undefined || packageName === storedInJSON) return false;
  return required !== true || mayBeEmpty === true;
}

function propertyOf(fact: FieldFact, packageName: string): PropertySchema {
  const { ref: _ref, type: _type, format: _format, items: _items, values: _values, ...own } = fact;
  return {
    schema: schemaOfShape(fact, packageName, own),
    required: fact.required === true,
    omitEmpty: fact.omitEmpty === true,
    pointer: fact.pointer === true,
    ...(fact.omitZero ? { omitZero: true } : {}),
    ...(isNullWhenEmpty(fact, packageName) ? { nullWhenEmpty: true } : {}),
    ...(fact.protobuf === undefined
      ? {}
      : {
          protobuf: {
            number: fact.protobuf,
            type: fact.protobufType ?? protobufTypeOf(fact, packageName),
            repeated: fact.type === 'array',
            ...(fact.protobufParent ? { parent: fact.protobufParent } : {}),
          },
        }),
  };
}

/** In the order in which Go writes them: kind and apiVersion, then roughly as declared, which protobuf numbers follow. */
function writingOrder([name, fact]: readonly [string, FieldFact]): number {
  if (name === 'kind') return -2;
  if (name === 'apiVersion' && fact.protobuf === undefined) return -1;
  return fact.protobuf ?? 1000;
}

function findFact(name: string): DefinitionFact | undefined {
  const [packageName, shortName] = splitName(name);
  return factsOf(packageName)?.get(shortName) ?? factsOf(utilityPackage)?.get(name);
}

/** Default rules of a definition that are plain data. */
interface DefinitionDefaults {
  /** Values for unset fields, by path: [] is every element of a list, {} every value of a map. */
  readonly constants: readonly (readonly [path: string, value: unknown])[];
  /** Maps whose quantities are rounded up to thousandths. */
  readonly roundedUp: readonly string[];
}

export function definitionDefaults(name: string): DefinitionDefaults {
  const fact = findFact(name);
  return { constants: fact?.defaults ?? [], roundedUp: fact?.roundedUp ?? [] };
}

function buildSchema(name: string): StructuralSchema | undefined {
  const [packageName] = splitName(name);
  const fact = findFact(name);
  if (!fact) return undefined;
  if (fact.format !== undefined) return specialSchema(name, fact.format);
  const readProperties = () => {
    const fields = Object.entries(fact.fields ?? {}).sort((a, b) => writingOrder(a) - writingOrder(b));
    return new Map(fields.map(([field, of]) => [field, propertyOf(of, packageName)]));
  };
  return new StructSchema(name, readProperties, fact);
}

/** Schema of a built-in definition by its OpenAPI name, e.g. io.k8s.api.core.v1.Pod. Always the same object for a name. */
export function findDefinitionSchema(name: string): StructuralSchema | undefined {
  const known = schemas.get(name);
  if (known) return known;
  const schema = buildSchema(name);
  if (schema) schemas.set(name, schema);
  return schema;
}

/** The schema that findDefinitionSchema finds; throws where there is none of the name. */
export function getDefinitionSchema(name: string): StructuralSchema {
  const schema = findDefinitionSchema(name);
  if (!schema) throw new Error(`no definition ${name}`);
  return schema;
}

const metaPackage = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/**
 * Schema of a built-in kind by its apiVersion, e.g. apps/v1 Deployment. Options, Status and watch events of meta.k8s.io
 * are found under every apiVersion, as upstream registers them.
 */
export function findKindSchema(apiVersion: string, kind: string): StructuralSchema | undefined {
  const own = packagesByAPIVersion.get(apiVersion);
  for (const packageName of own === undefined ? [metaPackage] : [own, metaPackage]) {
    if (factsOf(packageName)?.get(kind)?.kind === true || (packageName === metaPackage && isOption(kind)))
      return findDefinitionSchema(`${packageName}.${kind}`);
  }
  return undefined;
}

function isOption(kind: string): boolean {
  return kind === 'DeleteOptions' || kind === 'WatchEvent';
}
