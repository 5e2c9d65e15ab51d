import { readFileSync } from 'node:fs';

/** The shape of one value as the files in openapi/facts state it: a reference to a definition, or a JSON type. */
export interface ShapeFact {
  /** Definition: its short name within the same file, its full name elsewhere. */
  readonly ref?: string;
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'map' | 'object';
  readonly format?: string;
  readonly items?: ShapeFact;
  readonly values?: ShapeFact;
}

export interface FieldFact extends ShapeFact {
  /** Values of a closed string type. */
  readonly enum?: readonly string[];
  readonly required?: boolean;
  /** A required list that is taken without elements: it is written as null then, as one that is not required. */
  readonly mayBeEmpty?: boolean;
  readonly omitEmpty?: boolean;
  /** Left out when the whole struct is zero, which omitEmpty alone does not do. */
  readonly omitZero?: boolean;
  readonly pointer?: boolean;
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: 'atomic' | 'granular';
  readonly patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly patchMergeKey?: string;
  readonly default?: unknown;
  readonly featureGate?: string;
  /** Published without a text, not even that of the definition it refers to. */
  readonly undocumented?: boolean;
  /** Name of the Go type as decode errors show it, where it does not follow from the shape. */
  readonly goType?: string;
  /** Field number; its wire type follows from the shape unless protobufType says otherwise. */
  readonly protobuf?: number;
  readonly protobufType?: string;
  /** Numbers of the fields that hold the messages around it, outermost first: structs that are inlined in JSON. */
  readonly protobufParent?: readonly number[];
}

export interface DefinitionFact {
  /** A value that is no plain struct: quantity, int-or-string, date-time, raw-extension, json, ... */
  readonly format?: string;
  /** Has apiVersion and kind of its own. */
  readonly kind?: boolean;
  /** The group and version in which the kind is registered, where they differ from its file's. */
  readonly groupVersion?: string;
  /** Registered under every group and version (DeleteOptions, WatchEvent). */
  readonly everyGroup?: boolean;
  /** Whether it is left out of the published OpenAPI documents. */
  readonly unpublished?: boolean;
  readonly mapType?: 'atomic' | 'granular';
  readonly unions?: readonly unknown[];
  /** In which order the required fields are listed, where it is not that of the alphabet. */
  readonly requiredOrder?: readonly string[];
  readonly fields?: Readonly<Record<string, FieldFact>>;
}

export interface SubresourceFact {
  readonly kind: string;
  readonly definition: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

export interface ResourceFact {
  readonly kind: string;
  readonly definition: string;
  readonly list?: string;
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly storageVersionHash?: string;
  /** DELETE of one answers with the object instead of a Status. */
  readonly answersDeletedObject?: boolean;
  readonly subresources?: Readonly<Record<string, SubresourceFact>>;
}

export interface GroupFacts {
  /** File name without extension: core-v1, apps-v1, meta-v1, ... */
  readonly file: string;
  /** Absent for values that belong to no group (util-v1). */
  readonly group?: string;
  readonly version?: string;
  /** The start of full definition names; in util-v1 definitions are listed under their full names. */
  readonly package: string;
  readonly resources?: Readonly<Record<string, ResourceFact>>;
  readonly definitions: Readonly<Record<string, DefinitionFact>>;
}

interface ServedGroupVersion {
  readonly group: string;
  readonly version: string;
  readonly file: string;
  readonly preferred: boolean;
}

interface GroupsFile {
  readonly groupVersions: readonly ServedGroupVersion[];
  readonly registeredGroupVersions: readonly string[];
}

/** One definition and where it was found. */
export interface FoundDefinition {
  readonly fullName: string;
  readonly shortName: string;
  readonly file: string;
  readonly fact: DefinitionFact;
}

/** How a field is defaulted where `when` holds. */
interface DefaultRule {
  /** From the definition down; [] is every element of a list, {} every value of a map. */
  readonly path: string;
  /** A value, or `=x`: copied from or computed as x. */
  readonly default: unknown;
  readonly when: string;
  readonly gate?: string;
}

interface DefaultFacts {
  /** By the full name of the definition that they apply to wherever it is used. */
  readonly rules: Readonly<Record<string, readonly DefaultRule[]>>;
  /** `definition#field` of maps whose quantities are rounded up to thousandths. */
  readonly quantitiesRoundedUpToMilli: readonly string[];
}

/** Features of which the rules speak and that v1.36 has off. */
const disabledGates: ReadonlySet<string | undefined> = new Set(['PodLogsQuerySplitStreams']);

/** Whether the rule is just: where the field is unset, it becomes this. Others are written by hand in api/schema/defaults. */
export function isConstantRule(rule: DefaultRule): boolean {
  if (disabledGates.has(rule.gate) || (typeof rule.default === 'string' && rule.default.startsWith('='))) return false;
  return (
    /^(?:unset|0 or unset|empty|parameters set and scope unset)(?: \(.*\))?$/.test(rule.when) &&
    !rule.when.includes('applied in conversion')
  );
}

/** Whether v1.36 applies the rule at all. */
export function isEnabledRule(rule: DefaultRule): boolean {
  return !disabledGates.has(rule.gate);
}

export interface Facts {
  readonly served: readonly ServedGroupVersion[];
  /** Every group/version under which the options kinds are registered. */
  readonly registeredGroupVersions: readonly string[];
  readonly files: readonly GroupFacts[];
  /** By full name. */
  readonly definitions: ReadonlyMap<string, FoundDefinition>;
  readonly defaults: DefaultFacts;
  readonly columnTexts: ColumnTextFacts;
}

/**
 * Descriptions of Table columns by `group/version/plural` and name; '*' holds those that columns of this name have where
 * nothing else is said. A `definition#field` stands for the text of that field.
 */
export type ColumnTextFacts = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Files of definitions that are reached from the served group versions without being served themselves. */
const supportingFiles = ['meta-v1', 'util-v1', 'admission-v1', 'apidiscovery-v2'];

export const factsFolder = new URL('../facts/', import.meta.url);

function readFact<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`${name}.json`, factsFolder), 'utf8')) as T;
}

export function fullNameOf(file: GroupFacts, name: string): string {
  return name.includes('.') ? name : `${file.package}.${name}`;
}

function shortNameOf(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}

export function loadFacts(): Facts {
  const groups = readFact<GroupsFile>('groups');
  const names = [...new Set([...groups.groupVersions.map((served) => served.file), ...supportingFiles])].sort();
  const files = names.map((file): GroupFacts => ({ ...readFact<Omit<GroupFacts, 'file'>>(file), file }));
  const definitions = new Map<string, FoundDefinition>();
  for (const file of files) {
    for (const [name, fact] of Object.entries(file.definitions)) {
      const fullName = fullNameOf(file, name);
      definitions.set(fullName, { fullName, shortName: shortNameOf(fullName), file: file.file, fact });
    }
  }
  return {
    served: groups.groupVersions,
    registeredGroupVersions: groups.registeredGroupVersions,
    files,
    definitions,
    defaults: readFact('defaults'),
    columnTexts: readFact('table-columns'),
  };
}

export function getDefinition(facts: Facts, fullName: string): FoundDefinition {
  const found = facts.definitions.get(fullName);
  if (!found) throw new Error(`openapi/facts: no definition ${fullName}`);
  return found;
}

/** Whether the server writes null for an unset field: Go lists and maps without omitempty, and times, which are structs. */
export function isNullWhenUnset(facts: Facts, file: GroupFacts, field: FieldFact): boolean {
  if (field.required === true) return field.mayBeEmpty === true;
  if (field.ref !== undefined) {
    const format = getDefinition(facts, fullNameOf(file, field.ref)).fact.format;
    if (format === 'date-time' || format === 'micro-time') return field.pointer !== true && field.omitZero !== true;
  }
  return field.omitEmpty !== true && (field.pointer === true || field.type === 'array' || field.type === 'map');
}
