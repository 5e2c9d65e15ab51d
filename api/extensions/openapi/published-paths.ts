import type { JSONObject } from '../../base/json-object.ts';
import type { ResourceDefinition } from '../../resource/resource-definition.ts';
import { referenceTo, type Spec } from './published-schema.ts';
import type { PublishedParameters } from './published-parameters.ts';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const scaleDefinition = 'io.k8s.api.autoscaling.v1.Scale';
const mediaTypes = ['application/json', 'application/yaml'];
const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];
const responseTexts: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

type Kind = Pick<ResourceDefinition, 'group' | 'version' | 'names' | 'scope' | 'subresources' | 'definition'>;

interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch';
  readonly action: string;
  readonly id: string;
  readonly description: string;
  readonly parameters: readonly JSONObject[];
  readonly body?: { readonly definition: string; readonly isRequired: boolean };
  readonly consumes?: readonly string[];
  /** Definition by status code. */
  readonly responses: Readonly<Record<string, string>>;
}

/** The paths of a custom kind as a document of its group and version shows them. */
export function publishPaths(kind: Kind, spec: Spec, parameters: PublishedParameters): JSONObject {
  const { group, version, names, scope, subresources } = kind;
  const root = `/apis/${group}/${version}`;
  const isNamespaced = scope === 'Namespaced';
  const collection = `${root}/${isNamespaced ? 'namespaces/{namespace}/' : ''}${names.plural}`;
  const describe = { kind, spec, parameters };
  const list = listOf(kind, parameters, isNamespaced ? 'Namespaced' : '', '');
  return {
    ...(isNamespaced ? { [`${root}/${names.plural}`]: pathItem(describe, [], [listOf(kind, parameters, '', 'ForAllNamespaces')]) } : {}),
    [collection]: pathItem(describe, isNamespaced ? ['namespace'] : [], [list, ...collectionOperations(kind, parameters)]),
    [`${collection}/{name}`]: pathItem(describe, isNamespaced ? ['name', 'namespace'] : ['name'], [
      ...objectOperations(kind, parameters, '', kind.definition),
      deletion(kind, parameters),
    ]),
    ...Object.fromEntries(
      Object.keys(subresources).map((name) => [
        `${collection}/{name}/${name}`,
        pathItem(
          describe,
          isNamespaced ? ['name', 'namespace'] : ['name'],
          objectOperations(kind, parameters, name, name === 'scale' ? scaleDefinition : kind.definition),
        ),
      ]),
    ),
  };
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);

/** `OaExampleCom` for oa.example.com. */
function groupLabel(group: string): string {
  return group
    .replace(/\.k8s\.io$/, '')
    .split('.')
    .map(capital)
    .join('');
}

function idOf(kind: Kind, verb: string, noun: string): string {
  return `${verb}${groupLabel(kind.group)}${capital(kind.version)}${noun}`;
}

const nounOf = ({ scope, names }: Kind) => `${scope === 'Namespaced' ? 'Namespaced' : ''}${names.kind}`;
const article = (word: string) => (/^[AEIOU]/i.test(word) ? 'an' : 'a');

function listOf(kind: Kind, { list }: PublishedParameters, prefix: string, suffix: string): Operation {
  return {
    method: 'get',
    action: 'list',
    id: idOf(kind, 'list', `${prefix}${kind.names.kind}${suffix}`),
    description: `list objects of kind ${kind.names.kind}`,
    parameters: list,
    responses: { 200: `${kind.definition.slice(0, -kind.names.kind.length)}${kind.names.listKind}` },
  };
}

function collectionOperations(kind: Kind, { create, list }: PublishedParameters): Operation[] {
  const { definition, names } = kind;
  return [
    {
      method: 'post',
      action: 'post',
      id: idOf(kind, 'create', nounOf(kind)),
      description: `create ${article(names.kind)} ${names.kind}`,
      parameters: create,
      body: { definition, isRequired: true },
      responses: { 200: definition, 201: definition, 202: definition },
    },
    {
      method: 'delete',
      action: 'deletecollection',
      id: idOf(kind, 'delete', `Collection${nounOf(kind)}`),
      description: `delete collection of ${names.kind}`,
      parameters: list,
      responses: { 200: `${meta}.Status` },
    },
  ];
}

function deletion(kind: Kind, parameters: PublishedParameters): Operation {
  return {
    method: 'delete',
    action: 'delete',
    id: idOf(kind, 'delete', nounOf(kind)),
    description: `delete ${article(kind.names.kind)} ${kind.names.kind}`,
    parameters: parameters.delete,
    body: { definition: `${meta}.DeleteOptions`, isRequired: false },
    responses: { 200: `${meta}.Status`, 202: `${meta}.Status` },
  };
}

/** The operations get, update and patch of an object or of one of its subresources. */
function objectOperations(kind: Kind, parameters: PublishedParameters, subresource: string, definition: string): Operation[] {
  const noun = nounOf(kind) + capital(subresource);
  const what = `${subresource === '' ? '' : `${subresource} of `}the specified ${kind.names.kind}`;
  return [
    {
      method: 'get',
      action: 'get',
      id: idOf(kind, 'read', noun),
      description: `read ${what}`,
      parameters: parameters.get,
      responses: { 200: definition },
    },
    {
      method: 'put',
      action: 'put',
      id: idOf(kind, 'replace', noun),
      description: `replace ${what}`,
      parameters: parameters.update,
      body: { definition, isRequired: true },
      responses: { 200: definition, 201: definition },
    },
    {
      method: 'patch',
      action: 'patch',
      id: idOf(kind, 'patch', noun),
      description: `partially update ${what}`,
      parameters: parameters.patch,
      body: { definition: `${meta}.Patch`, isRequired: true },
      consumes: patchTypes,
      responses: { 200: definition },
    },
  ];
}

interface Describing {
  readonly kind: Kind;
  readonly spec: Spec;
  readonly parameters: PublishedParameters;
}

function pathItem(describing: Describing, inPath: readonly ('name' | 'namespace')[], operations: readonly Operation[]): JSONObject {
  const { kind, spec, parameters } = describing;
  const shared = [...inPath.map((name) => (name === 'namespace' ? parameters.namespace : nameParameter(kind, spec))), parameters.pretty];
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, describeOperation(operation, kind, spec)])),
    parameters: shared,
  };
}

function nameParameter({ names }: Kind, spec: Spec): JSONObject {
  const parameter = { name: 'name', in: 'path', description: `name of the ${names.kind}`, required: true };
  const type = { type: 'string', uniqueItems: true };
  return spec === 'v2' ? { ...parameter, ...type } : { ...parameter, schema: type };
}

function describeOperation(operation: Operation, kind: Kind, spec: Spec): JSONObject {
  const { id, action, description, body, consumes = mediaTypes, responses } = operation;
  const content = (types: readonly string[], definition: string) =>
    Object.fromEntries(types.map((type) => [type, { schema: referenceTo(spec, definition) }]));
  const inBody = body && {
    name: 'body',
    in: 'body',
    ...(body.isRequired ? { required: true } : {}),
    schema: referenceTo(spec, body.definition),
  };
  const parameters = [...(spec === 'v2' && inBody ? [inBody] : []), ...operation.parameters];
  const answers = Object.entries(responses).map(([code, definition]) => [
    code,
    {
      description: responseTexts[code] ?? '',
      ...(spec === 'v2' ? { schema: referenceTo(spec, definition) } : { content: content(mediaTypes, definition) }),
    },
  ]);
  const label = groupLabel(kind.group);
  return {
    description,
    ...(spec === 'v2' ? { consumes, produces: mediaTypes, schemes: ['https'] } : {}),
    tags: [`${label.slice(0, 1).toLowerCase()}${label.slice(1)}_${kind.version}`],
    operationId: id,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(spec === 'v3' && body
      ? { requestBody: { content: content(consumes, body.definition), ...(body.isRequired ? { required: true } : {}) } }
      : {}),
    responses: { ...Object.fromEntries(answers), 401: { description: 'Unauthorized' } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: kind.group, kind: kind.names.kind, version: kind.version },
  };
}
