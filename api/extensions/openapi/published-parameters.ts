import { isJSONObject, type JSONObject } from '../../base/json-object.ts';

/** The query parameters of each verb, as a document of one of the two versions of OpenAPI shows them. */
export interface PublishedParameters {
  readonly get: readonly JSONObject[];
  readonly list: readonly JSONObject[];
  readonly create: readonly JSONObject[];
  readonly update: readonly JSONObject[];
  readonly patch: readonly JSONObject[];
  readonly delete: readonly JSONObject[];
  readonly namespace: JSONObject;
  readonly pretty: JSONObject;
}

/** A built-in kind with all verbs, whose parameters are those of every kind. */
const collection = '/apis/apps/v1/namespaces/{namespace}/deployments';

/** The parameters that the built-in document of apps/v1 (OpenAPI 3) or of all kinds (OpenAPI 2) shows. */
export function readPublishedParameters(document: JSONObject): PublishedParameters {
  const paths = document['paths'] as Record<string, JSONObject | undefined>;
  const shared = (document['parameters'] ?? {}) as Record<string, JSONObject | undefined>;
  const factOf = (parameter: JSONObject): JSONObject => {
    const { $ref: reference } = parameter;
    return (typeof reference === 'string' ? shared[reference.slice('#/parameters/'.length)] : undefined) ?? parameter;
  };
  const ofPath = (path: string) => (paths[path]?.['parameters'] ?? []) as readonly JSONObject[];
  const parametersOf = (path: string, method: string): readonly JSONObject[] => {
    const operation = paths[path]?.[method];
    const own = isJSONObject(operation) ? ((operation['parameters'] ?? []) as readonly JSONObject[]) : [];
    return [...own, ...ofPath(path)].filter((parameter) => factOf(parameter)['in'] === 'query' && factOf(parameter)['name'] !== 'pretty');
  };
  const named = (name: string, parameters: readonly JSONObject[]): JSONObject => {
    const found = parameters.find((parameter) => factOf(parameter)['name'] === name);
    if (!found) throw new Error(`the built-in document has no parameter ${name}`);
    return found;
  };
  const list = parametersOf(collection, 'get');
  return {
    list,
    get: [named('resourceVersion', list)],
    create: parametersOf(collection, 'post'),
    update: parametersOf(`${collection}/{name}`, 'put'),
    patch: parametersOf(`${collection}/{name}`, 'patch'),
    delete: parametersOf(`${collection}/{name}`, 'delete'),
    namespace: named('namespace', ofPath(collection)),
    pretty: named('pretty', ofPath(collection)),
  };
}
