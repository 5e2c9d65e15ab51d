import type { Facts } from './facts.ts';
import { type Parameter, pathParameter } from './parameters.ts';
import { generalPaths, type Operation, type Paths, pathsOfGroup, pathsOfGroupVersion } from './paths.ts';
import { definitionSchema, reachableDefinitions, referenceTo, type SchemaObject } from './schemas.ts';
import type { ParameterTexts } from './parameter-texts.ts';
import { shareParameters } from './shared-parameters.ts';
import type { Texts } from './texts.ts';

type JSONObject = Record<string, unknown>;

interface Sources {
  readonly facts: Facts;
  readonly texts: Texts;
  readonly parameterTexts: ParameterTexts;
}

const info = { title: 'Kubernetes', version: '1.36' };
const securityScheme = { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' };
const unauthorized = { description: 'Unauthorized' };
const responseTexts: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

/** By name, path parameters before query parameters of the same name. */
function sortParameters(parameters: readonly Parameter[]): Parameter[] {
  const key = (parameter: Parameter) => `${parameter.name} ${parameter.in}`;
  return [...parameters].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Parameters that all operations of a path share stand once at the path. */
function sharedParameters(operations: readonly Operation[]): Parameter[] {
  const [first, ...rest] = operations;
  return sortParameters(
    (first?.parameters ?? []).filter((parameter) =>
      rest.every((operation) => operation.parameters.includes(parameter) || operation.parameters.some((other) => isSame(other, parameter))),
    ),
  );
}

function isSame(a: Parameter, b: Parameter): boolean {
  return a.name === b.name && a.in === b.in && a.type === b.type;
}

function describe(sources: Sources, operation: Operation | undefined, parameter: Parameter): JSONObject {
  const isSecondPath = parameter.name === 'path' && parameter.in === 'query' && operation?.parameters.includes(pathParameter) === true;
  const text = sources.parameterTexts.find(operation?.id ?? '', isSecondPath ? 'path2' : parameter.name);
  return {
    ...(text === undefined ? {} : { description: text }),
    in: parameter.in,
    name: parameter.name,
    ...(parameter.in === 'path' ? { required: true } : {}),
  };
}

function extensions(operation: Operation): JSONObject {
  return {
    ...(operation.action === undefined ? {} : { 'x-kubernetes-action': operation.action }),
    ...(operation.kind === undefined ? {} : { 'x-kubernetes-group-version-kind': operation.kind }),
  };
}

const answerSchema = (spec: 'v2' | 'v3', definition: string): SchemaObject =>
  definition === 'string' ? { type: 'string' } : referenceTo(spec, definition);

function operationV2(sources: Sources, operation: Operation, own: readonly Parameter[]): JSONObject {
  const body = operation.body && {
    in: 'body',
    name: 'body',
    ...(operation.body.required ? { required: true } : {}),
    schema: referenceTo('v2', operation.body.definition),
  };
  const parameters = [
    ...(body ? [body] : []),
    ...own.map((parameter) => ({ ...describe(sources, operation, parameter), type: parameter.type, uniqueItems: true })),
  ];
  const responses = Object.entries(operation.responses).map(([code, definition]) => [
    code,
    { description: responseTexts[code] ?? '', schema: answerSchema('v2', definition) },
  ]);
  return {
    ...(operation.consumes.length > 0 ? { consumes: operation.consumes } : {}),
    description: operation.description,
    operationId: operation.id,
    ...(parameters.length > 0 ? { parameters } : {}),
    produces: operation.produces,
    responses: { ...Object.fromEntries(responses), 401: unauthorized },
    schemes: ['https'],
    tags: [operation.tag],
    ...extensions(operation),
  };
}

function operationV3(sources: Sources, operation: Operation, own: readonly Parameter[]): JSONObject {
  const parameters = own.map((parameter) => parameterV3(sources, operation, parameter));
  const content = (types: readonly string[], definition: string) =>
    Object.fromEntries(types.map((type) => [type, { schema: answerSchema('v3', definition) }]));
  const responses = Object.entries(operation.responses).map(([code, definition]) => [
    code,
    { description: responseTexts[code] ?? '', content: content(operation.produces, definition) },
  ]);
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.id,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(operation.body
      ? {
          requestBody: {
            content: content(operation.consumes, operation.body.definition),
            ...(operation.body.required ? { required: true } : {}),
          },
        }
      : {}),
    responses: { ...Object.fromEntries(responses), 401: unauthorized },
    ...extensions(operation),
  };
}

function parameterV3(sources: Sources, operation: Operation | undefined, parameter: Parameter): JSONObject {
  return { ...describe(sources, operation, parameter), schema: { type: parameter.type, uniqueItems: true } };
}

function pathItems(sources: Sources, paths: Paths, spec: 'v2' | 'v3'): JSONObject {
  const items: JSONObject = {};
  for (const [path, operations] of [...paths].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const shared = sharedParameters([...operations.values()]);
    const [first] = operations.values();
    const item: JSONObject = {};
    for (const [method, operation] of operations) {
      const own = sortParameters(operation.parameters.filter((parameter) => !shared.some((other) => isSame(other, parameter))));
      item[method] = spec === 'v2' ? operationV2(sources, operation, own) : operationV3(sources, operation, own);
    }
    if (shared.length > 0) {
      item['parameters'] = shared.map((parameter) =>
        spec === 'v2'
          ? { ...describe(sources, first, parameter), type: parameter.type, uniqueItems: true }
          : parameterV3(sources, first, parameter),
      );
    }
    items[path] = item;
  }
  return items;
}

function definitionsOf(paths: Paths): Set<string> {
  const names = new Set<string>();
  for (const operations of paths.values()) {
    for (const operation of operations.values()) {
      for (const definition of Object.values(operation.responses)) if (definition !== 'string') names.add(definition);
      if (operation.body) names.add(operation.body.definition);
    }
  }
  return names;
}

function schemasOf(sources: Sources, paths: Paths, spec: 'v2' | 'v3'): JSONObject {
  const names = reachableDefinitions(sources.facts, definitionsOf(paths));
  return Object.fromEntries(names.map((name) => [name, definitionSchema(sources.facts, sources.texts, spec, name)]));
}

/** Paths by the name of their version 3 document: `api/v1`, `apis/apps`, `apis/apps/v1`, `version`, ... */
export function allPaths(facts: Facts): Map<string, Paths> {
  const documents = new Map(generalPaths());
  for (const { group, version, file } of facts.served) {
    const found = facts.files.find((candidate) => candidate.file === file);
    if (!found) throw new Error(`openapi/facts: no file ${file}`);
    if (group !== '') documents.set(`apis/${group}`, pathsOfGroup(group));
    documents.set(group === '' ? `api/${version}` : `apis/${group}/${version}`, pathsOfGroupVersion(facts, found, group, version));
  }
  return documents;
}

/** `v2.json` and `v3/<name>.json`, as objects. */
export function generateDocuments(facts: Facts, texts: Texts, parameterTexts: ParameterTexts): Map<string, JSONObject> {
  const sources: Sources = { facts, texts, parameterTexts };
  const documents = new Map<string, JSONObject>();
  const everything: Paths = new Map();
  for (const [name, paths] of allPaths(facts)) {
    for (const [path, operations] of paths) everything.set(path, operations);
    documents.set(`v3/${name}.json`, {
      openapi: '3.0.0',
      info,
      paths: pathItems(sources, paths, 'v3'),
      components: {
        ...(definitionsOf(paths).size > 0 ? { schemas: schemasOf(sources, paths, 'v3') } : {}),
        securitySchemes: { BearerToken: securityScheme },
      },
    });
  }
  documents.set('v2.json', {
    swagger: '2.0',
    info,
    ...shareParameters(pathItems(sources, everything, 'v2')),
    definitions: schemasOf(sources, everything, 'v2'),
    securityDefinitions: { BearerToken: securityScheme },
    security: [{ BearerToken: [] }],
  });
  return documents;
}
