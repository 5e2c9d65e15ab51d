import { type Facts, fullNameOf, getDefinition, type GroupFacts, type ResourceFact, type SubresourceFact } from './facts.ts';
import {
  deleteCollectionParameters,
  deleteParameters,
  listParameters,
  nameParameter,
  namespaceParameter,
  type Parameter,
  patchParameters,
  pathParameter,
  prettyParameter,
  writeParameters,
} from './parameters.ts';

type Method = 'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch';

interface GroupVersionKind {
  readonly group: string;
  readonly kind: string;
  readonly version: string;
}

/** One operation of the API, in terms that both versions of OpenAPI share. */
export interface Operation {
  readonly id: string;
  readonly description: string;
  readonly tag: string;
  /** x-kubernetes-action */
  readonly action?: string;
  readonly kind?: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  readonly body?: { readonly definition: string; readonly required: boolean };
  readonly consumes: readonly string[];
  readonly produces: readonly string[];
  /** Full definition name by status code; 'string' for plain text. */
  readonly responses: Readonly<Record<string, string>>;
}

/** Operations by path and method. */
export type Paths = Map<string, Map<Method, Operation>>;

/** The media types of the server. */
const mediaTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const watchMediaTypes = [...mediaTypes, 'application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];
const patchMediaTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const anything = ['*/*'];

const meta = (name: string) => `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`;
const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);

/** `Core`, `Apps`, `RbacAuthorization`: how operation ids name a group. */
function groupLabel(group: string): string {
  return group === ''
    ? 'Core'
    : group
        .replace(/\.k8s\.io$/, '')
        .split('.')
        .map(capital)
        .join('');
}

const lowerFirst = (text: string) => text.slice(0, 1).toLowerCase() + text.slice(1);

interface Scope {
  readonly file: GroupFacts;
  readonly group: string;
  readonly version: string;
  /** `CoreV1` */
  readonly label: string;
  /** `core_v1` */
  readonly tag: string;
  /** `/api/v1` */
  readonly root: string;
  readonly paths: Paths;
}

interface OperationParts extends Partial<Omit<Operation, 'id' | 'tag' | 'parameters'>> {
  readonly description: string;
  readonly responses: Readonly<Record<string, string>>;
  readonly parameters?: readonly Parameter[];
}

function add(scope: Scope, path: string, method: Method, id: string, parts: OperationParts): void {
  const operations = scope.paths.get(path) ?? new Map<Method, Operation>();
  scope.paths.set(path, operations);
  const inPath = [nameParameter, namespaceParameter, pathParameter].filter((parameter) => path.includes(`{${parameter.name}}`));
  const pretty = parts.action === 'connect' ? [] : [prettyParameter];
  operations.set(method, {
    consumes: anything,
    produces: mediaTypes,
    ...parts,
    id,
    tag: scope.tag,
    parameters: [...(parts.parameters ?? []), ...inPath, ...pretty],
  });
}

/** Verbs on single objects and on the collection. */
function addResource(scope: Scope, plural: string, resource: ResourceFact): void {
  const definition = fullNameOf(scope.file, resource.definition);
  const list = resource.list === undefined ? definition : fullNameOf(scope.file, resource.list);
  const kind = { group: scope.group, kind: resource.kind, version: scope.version };
  const has = (verb: string) => resource.verbs.includes(verb);
  const noun = `${resource.namespaced ? 'Namespaced' : ''}${resource.kind}`;
  const collection = `${scope.root}/${resource.namespaced ? 'namespaces/{namespace}/' : ''}${plural}`;
  const single = `${collection}/{name}`;
  const body = { definition, required: true };
  if (has('list')) {
    const parts = {
      action: 'list',
      kind,
      description: `list or watch objects of kind ${resource.kind}`,
      parameters: listParameters,
      produces: watchMediaTypes,
      responses: { 200: list },
    };
    add(scope, collection, 'get', `list${scope.label}${noun}`, parts);
    if (resource.namespaced) add(scope, `${scope.root}/${plural}`, 'get', `list${scope.label}${resource.kind}ForAllNamespaces`, parts);
  }
  if (has('create')) {
    const responses = { 200: definition, 201: definition, 202: definition };
    add(scope, collection, 'post', `create${scope.label}${noun}`, {
      action: 'post',
      kind,
      description: `create a ${resource.kind}`,
      parameters: writeParameters,
      body,
      responses,
    });
  }
  if (has('deletecollection')) {
    const options = { definition: meta('DeleteOptions'), required: false };
    add(scope, collection, 'delete', `delete${scope.label}Collection${noun}`, {
      action: 'deletecollection',
      kind,
      description: `delete collection of ${resource.kind}`,
      parameters: deleteCollectionParameters,
      body: options,
      responses: { 200: meta('Status') },
    });
  }
  if (has('delete')) {
    const answer = resource.answersDeletedObject === true ? definition : meta('Status');
    add(scope, single, 'delete', `delete${scope.label}${noun}`, {
      action: 'delete',
      kind,
      description: `delete a ${resource.kind}`,
      parameters: deleteParameters,
      body: { definition: meta('DeleteOptions'), required: false },
      responses: { 200: answer, 202: answer },
    });
  }
  addObjectVerbs(scope, single, noun, `${resource.kind}`, resource.verbs, kind, definition);
  if (has('watch')) addWatches(scope, plural, resource, noun, kind);
}

/** get, update and patch of an object or of a subresource that is one. */
function addObjectVerbs(
  scope: Scope,
  path: string,
  noun: string,
  what: string,
  verbs: readonly string[],
  kind: GroupVersionKind,
  definition: string,
): void {
  if (verbs.includes('get')) {
    add(scope, path, 'get', `read${scope.label}${noun}`, {
      action: 'get',
      kind,
      description: `read the specified ${what}`,
      responses: { 200: definition },
    });
  }
  if (verbs.includes('update')) {
    add(scope, path, 'put', `replace${scope.label}${noun}`, {
      action: 'put',
      kind,
      description: `replace the specified ${what}`,
      parameters: writeParameters,
      body: { definition, required: true },
      responses: { 200: definition, 201: definition },
    });
  }
  if (verbs.includes('patch')) {
    add(scope, path, 'patch', `patch${scope.label}${noun}`, {
      action: 'patch',
      kind,
      description: `partially update the specified ${what}`,
      parameters: patchParameters,
      consumes: patchMediaTypes,
      body: { definition: meta('Patch'), required: true },
      responses: { 200: definition, 201: definition },
    });
  }
}

/** The old way of watching, by paths of its own. */
function addWatches(scope: Scope, plural: string, resource: ResourceFact, noun: string, kind: GroupVersionKind): void {
  const parts = { kind, parameters: listParameters, produces: watchMediaTypes, responses: { 200: meta('WatchEvent') } };
  const ofList = {
    ...parts,
    action: 'watchlist',
    description: `watch individual changes to a list of ${resource.kind}. deprecated: use the 'watch' parameter with a list operation instead.`,
  };
  const ofOne = {
    ...parts,
    action: 'watch',
    description: `watch changes to an object of kind ${resource.kind}. deprecated: use the 'watch' parameter with a list operation instead, filtered to a single item with the 'fieldSelector' parameter.`,
  };
  const collection = `${scope.root}/watch/${resource.namespaced ? 'namespaces/{namespace}/' : ''}${plural}`;
  add(scope, collection, 'get', `watch${scope.label}${noun}List`, ofList);
  if (resource.verbs.includes('get')) add(scope, `${collection}/{name}`, 'get', `watch${scope.label}${noun}`, ofOne);
  if (resource.namespaced)
    add(scope, `${scope.root}/watch/${plural}`, 'get', `watch${scope.label}${resource.kind}ListForAllNamespaces`, ofList);
}

/** Options kinds whose fields are the query parameters of subresources that talk to a node or its Pods. */
const optionsKinds: Readonly<Record<string, string>> = {
  'pods/attach': 'PodAttachOptions',
  'pods/exec': 'PodExecOptions',
  'pods/log': 'PodLogOptions',
  'pods/portforward': 'PodPortForwardOptions',
  'pods/proxy': 'PodProxyOptions',
  'services/proxy': 'ServiceProxyOptions',
  'nodes/proxy': 'NodeProxyOptions',
};

/** A field of an options kind as a query parameter; lists are repeated. */
function optionParameters(facts: Facts, scope: Scope, optionsKind: string): Parameter[] {
  const fields = Object.entries(getDefinition(facts, fullNameOf(scope.file, optionsKind)).fact.fields ?? {});
  return fields.flatMap(([name, field]): Parameter[] => {
    const type = field.type === 'array' ? field.items?.type : field.type;
    // sinceTime is the one field of a type that has no parameter form.
    if (name === 'kind' || name === 'apiVersion' || (type !== 'string' && type !== 'integer' && type !== 'boolean')) return [];
    return [{ name, in: 'query', type }];
  });
}

const connectMethods: Readonly<Record<string, readonly Method[]>> = {
  create: ['post'],
  get: ['get', 'head', 'options'],
  update: ['put'],
  patch: ['patch'],
  delete: ['delete'],
};

function addConnect(
  scope: Scope,
  path: string,
  noun: string,
  what: string,
  verbs: readonly string[],
  kind: GroupVersionKind,
  parameters: readonly Parameter[],
): void {
  const isProxy = what.startsWith('proxy');
  for (const method of verbs.flatMap((verb) => connectMethods[verb] ?? [])) {
    if (!isProxy && (method === 'head' || method === 'options')) continue;
    const parts = {
      action: 'connect',
      kind,
      description: `connect ${method.toUpperCase()} requests to ${what}`,
      parameters,
      produces: anything,
      responses: { 200: 'string' },
    };
    const id = `connect${scope.label}${capital(method)}${noun}`;
    add(scope, path, method, id, parts);
    if (isProxy) add(scope, `${path}/{path}`, method, `${id}WithPath`, parts);
  }
}

function addSubresource(
  facts: Facts,
  scope: Scope,
  plural: string,
  resource: ResourceFact,
  name: string,
  subresource: SubresourceFact,
): void {
  const path = `${scope.root}/${resource.namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}/${name}`;
  const noun = `${resource.namespaced ? 'Namespaced' : ''}${resource.kind}${capital(name)}`;
  const kind = { group: subresource.group ?? scope.group, kind: subresource.kind, version: subresource.version ?? scope.version };
  const optionsKind = optionsKinds[`${plural}/${name}`];
  if (name === 'log' && optionsKind !== undefined) {
    const parameters = optionParameters(facts, scope, optionsKind);
    add(scope, path, 'get', `read${scope.label}${noun}`, {
      action: 'get',
      kind: { ...kind, kind: resource.kind },
      description: `read log of the specified ${resource.kind}`,
      parameters,
      produces: ['text/plain', ...mediaTypes],
      responses: { 200: 'string' },
    });
    return;
  }
  if (optionsKind !== undefined) {
    addConnect(
      scope,
      path,
      noun,
      `${name} of ${resource.kind}`,
      subresource.verbs,
      { ...kind, kind: optionsKind },
      optionParameters(facts, scope, optionsKind),
    );
    return;
  }
  const definition = fullNameOf(scope.file, subresource.definition);
  addObjectVerbs(scope, path, noun, `${resource.kind}'s ${name}`, subresource.verbs, kind, definition);
  if (!subresource.verbs.includes('create')) return;
  const responses = { 200: definition, 201: definition, 202: definition };
  add(scope, path, 'post', `create${scope.label}${noun}`, {
    action: 'post',
    kind,
    description: `create ${name} of a ${resource.kind}`,
    parameters: writeParameters,
    body: { definition, required: true },
    responses,
  });
}

/** All operations of one served group version, with that of its resource list. */
export function pathsOfGroupVersion(facts: Facts, file: GroupFacts, group: string, version: string): Paths {
  const label = groupLabel(group);
  const scope: Scope = {
    file,
    group,
    version,
    paths: new Map(),
    label: `${label}${capital(version)}`,
    tag: `${lowerFirst(label)}_${version}`,
    root: group === '' ? `/api/${version}` : `/apis/${group}/${version}`,
  };
  scope.paths.set(
    `${scope.root}/`,
    new Map([['get', discovery(`get${scope.label}APIResources`, 'get available resources', scope.tag, meta('APIResourceList'))]]),
  );
  for (const [plural, resource] of Object.entries(file.resources ?? {})) {
    addResource(scope, plural, resource);
    for (const [name, subresource] of Object.entries(resource.subresources ?? {}))
      addSubresource(facts, scope, plural, resource, name, subresource);
  }
  return scope.paths;
}

function discovery(id: string, description: string, tag: string, definition: string): Operation {
  return { id, description, tag, parameters: [], consumes: mediaTypes, produces: mediaTypes, responses: { 200: definition } };
}

function only(path: string, operation: Operation): Paths {
  return new Map([[path, new Map([['get', operation]])]]);
}

/** `/apis/apps/`: which versions a group has. */
export function pathsOfGroup(group: string): Paths {
  const label = groupLabel(group);
  return only(`/apis/${group}/`, discovery(`get${label}APIGroup`, 'get information of a group', lowerFirst(label), meta('APIGroup')));
}

/** Paths that belong to no group, by the name of their document. */
export function generalPaths(): ReadonlyMap<string, Paths> {
  const json = { consumes: [], produces: ['application/json'], parameters: [] };
  return new Map([
    ['api', only('/api/', discovery('getCoreAPIVersions', 'get available API versions', 'core', meta('APIVersions')))],
    ['apis', only('/apis/', discovery('getAPIVersions', 'get available API versions', 'apis', meta('APIGroupList')))],
    [
      'version',
      only('/version/', {
        ...json,
        consumes: ['application/json'],
        id: 'getCodeVersion',
        description: 'get the version information for this server',
        tag: 'version',
        responses: { 200: 'io.k8s.apimachinery.pkg.version.Info' },
      }),
    ],
    [
      '.well-known/openid-configuration',
      only('/.well-known/openid-configuration/', {
        ...json,
        id: 'getServiceAccountIssuerOpenIDConfiguration',
        description: "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
        tag: 'WellKnown',
        responses: { 200: 'string' },
      }),
    ],
    [
      'openid/v1/jwks',
      only('/openid/v1/jwks/', {
        ...json,
        produces: ['application/jwk-set+json'],
        id: 'getServiceAccountIssuerOpenIDKeyset',
        description: 'get service account issuer OpenID JSON Web Key Set (contains public token verification keys)',
        tag: 'openid',
        responses: { 200: 'string' },
      }),
    ],
  ]);
}
