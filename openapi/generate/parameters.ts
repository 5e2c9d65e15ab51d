/** A parameter of an operation, in terms that both versions of OpenAPI share. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly type: 'string' | 'integer' | 'boolean';
}

const query = (name: string, type: Parameter['type'] = 'string'): Parameter => ({ name, in: 'query', type });
const path = (name: string): Parameter => ({ name, in: 'path', type: 'string' });

export const nameParameter = path('name');
export const namespaceParameter = path('namespace');
export const pathParameter = path('path');
export const prettyParameter = query('pretty');

export const listParameters: readonly Parameter[] = [
  query('allowWatchBookmarks', 'boolean'),
  query('continue'),
  query('fieldSelector'),
  query('labelSelector'),
  query('limit', 'integer'),
  query('resourceVersion'),
  query('resourceVersionMatch'),
  query('sendInitialEvents', 'boolean'),
  query('shardSelector'),
  query('timeoutSeconds', 'integer'),
  query('watch', 'boolean'),
];

export const writeParameters: readonly Parameter[] = [query('dryRun'), query('fieldManager'), query('fieldValidation')];

export const patchParameters: readonly Parameter[] = [...writeParameters, query('force', 'boolean')];

export const deleteParameters: readonly Parameter[] = [
  query('dryRun'),
  query('gracePeriodSeconds', 'integer'),
  query('ignoreStoreReadErrorWithClusterBreakingPotential', 'boolean'),
  query('orphanDependents', 'boolean'),
  query('propagationPolicy'),
];

const notForDeletion = new Set(['allowWatchBookmarks', 'watch']);

export const deleteCollectionParameters: readonly Parameter[] = [
  ...listParameters.filter((parameter) => !notForDeletion.has(parameter.name)),
  ...deleteParameters,
];
