import type { JSONSchemaProps } from '../../../api/types/apiextensions-v1.ts';
import { generateValue, type Next, pick } from '../custom-resources/generate-schemas.ts';
import { group } from './generate-definitions.ts';
import type { BothRequest } from './two-servers.ts';

/** A kind of the run, by its plural, and what its objects are made by. */
export interface RunKind {
  readonly plural: string;
  readonly kind: string;
  readonly schema: JSONSchemaProps;
  readonly next: Next;
  /** Whether kubets finds nothing wrong with it; for most objects one is looked for that is valid, since few are. */
  isValid(object: object): boolean;
}

const names = ['o0', 'o1', 'o2', 'o3'];
const tableOf = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const metadataOf = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json';
const metadataListOf = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';
const validations = ['', '&fieldValidation=Warn', '&fieldValidation=Strict', '&fieldValidation=Ignore'];
const selectors = [
  '',
  'labelSelector=a%3Db',
  'labelSelector=a',
  'fieldSelector=metadata.name%3Do1',
  'fieldSelector=spec.a%3Dabc',
  'fieldSelector=spec.nope%3D1',
  'limit=2',
];

type Maker = (kind: RunKind) => BothRequest;

const pathOf = ({ plural }: RunKind): string => `/apis/${group}/v1/namespaces/default/${plural}`;

function objectOf(kind: RunKind, name: string, metadata: object = {}): Record<string, unknown> {
  const attempts = kind.next() < 0.7 ? 40 : 1;
  let object = anyObjectOf(kind, name, metadata);
  for (let attempt = 1; attempt < attempts && !kind.isValid({ ...object, metadata: { name: 'a' } }); attempt++)
    object = anyObjectOf(kind, name, metadata);
  return object;
}

function anyObjectOf(kind: RunKind, name: string, metadata: object): Record<string, unknown> {
  const { next, schema } = kind;
  const generated = generateValue(next, schema);
  const content = typeof generated === 'object' && generated !== null && !Array.isArray(generated) ? generated : { spec: generated };
  const labels = next() < 0.3 ? { labels: { a: pick(next, ['b', 'c', 'not a label!']) } } : {};
  return { ...content, apiVersion: `${group}/v1`, kind: kind.kind, metadata: { name, ...labels, ...metadata } };
}

/** JSON in which a key stands twice, at the top or in the spec. */
function withDuplicate(body: Record<string, unknown>, next: Next): string {
  const text = JSON.stringify(body);
  return next() < 0.5 ? text.replace('{', '{"spec":{"a":1},') : text.replace('"spec":{', '"spec":{"a":"x","a":"y",');
}

const create: Maker = (kind) => {
  const { next } = kind;
  const name = pick(next, names);
  const metadata = pick(next, [
    {},
    {},
    {},
    { annotations: { a: 'b' } },
    { finalizers: ['nothing'] },
    { generation: 7 },
    { unknown: 1 },
    { namespace: 'other' },
  ]);
  const body = objectOf(kind, name, metadata);
  if (next() < 0.05) delete body['kind'];
  if (next() < 0.05) body['apiVersion'] = `${group}/v2`;
  const query = `?fieldManager=creator${pick(next, validations)}${next() < 0.3 ? '&dryRun=All' : ''}`;
  return { method: 'POST', path: `${pathOf(kind)}${query}`, body: next() < 0.1 ? withDuplicate(body, next) : body };
};

const update: Maker = (kind) => {
  const { next } = kind;
  const name = pick(next, names);
  const resourceVersion = next() < 0.9 ? { resourceVersion: `{{rv:${kind.plural}:${name}}}` } : pick(next, [{}, { resourceVersion: '1' }]);
  const uid = next() < 0.1 ? { uid: pick(next, [`{{uid:${kind.plural}:${name}}}`, 'other']) } : {};
  const body = objectOf(kind, name, { ...resourceVersion, ...uid });
  const subresource = next() < 0.25 ? '/status' : '';
  return { method: 'PUT', path: `${pathOf(kind)}/${name}${subresource}?fieldManager=updater${pick(next, validations)}`, body };
};

const mergePatch: Maker = (kind) => {
  const { next } = kind;
  const content = objectOf(kind, '');
  const body: Record<string, unknown> =
    next() < 0.6
      ? { spec: content['spec'] }
      : { spec: content['spec'], status: content['status'], metadata: { labels: { a: pick(next, ['b', null, 'c']) } } };
  const subresource = next() < 0.25 ? '/status' : '';
  const path = `${pathOf(kind)}/${pick(next, names)}${subresource}?fieldManager=patcher${pick(next, validations)}`;
  return {
    method: 'PATCH',
    path,
    body,
    contentType: pick(next, [
      'application/merge-patch+json',
      'application/merge-patch+json',
      'application/merge-patch+json',
      'application/strategic-merge-patch+json',
    ]),
  };
};

const jsonPatch: Maker = (kind) => {
  const { next, schema } = kind;
  const spec = schema.properties?.['spec'] ?? {};
  const field = pick(next, ['a', 'b', 'c', 'd', 'nope']);
  const value = generateValue(next, spec.properties?.[field] ?? { type: 'string' });
  const operations = [
    { op: 'add', path: `/spec/${field}`, value },
    { op: 'replace', path: `/spec/${field}`, value },
    { op: 'remove', path: `/spec/${field}` },
    { op: 'test', path: `/spec/${field}`, value },
    { op: 'copy', from: `/spec/${field}`, path: '/spec/b' },
    { op: 'move', from: `/spec/${field}`, path: '/spec/c' },
    { op: 'add', path: '/metadata/labels', value: { a: 'b' } },
    { op: 'replace', path: '/metadata/name', value: 'other' },
  ];
  const body = Array.from({ length: 1 + Math.floor(next() * 2) }, () => pick(next, operations));
  const path = `${pathOf(kind)}/${pick(next, names)}?fieldManager=patcher${pick(next, validations)}`;
  return { method: 'PATCH', path, body, contentType: 'application/json-patch+json' };
};

const apply: Maker = (kind) => {
  const { next } = kind;
  const name = pick(next, names);
  const subresource = next() < 0.15 ? '/status' : '';
  const query = `?fieldManager=${pick(next, ['a', 'b', 'c'])}${next() < 0.5 ? '&force=true' : ''}${pick(next, validations)}`;
  return {
    method: 'PATCH',
    path: `${pathOf(kind)}/${name}${subresource}${query}`,
    body: objectOf(kind, name),
    contentType: 'application/apply-patch+yaml',
  };
};

const scale: Maker = (kind) => {
  const { next } = kind;
  const path = `${pathOf(kind)}/${pick(next, names)}/scale`;
  const replicas = pick(next, [0, 3, -1, 2 ** 31, 1.5, 'x', null]);
  return next() < 0.5
    ? { method: 'GET', path }
    : { method: 'PATCH', path, body: { spec: { replicas } }, contentType: 'application/merge-patch+json' };
};

const read: Maker = (kind) => {
  const { next } = kind;
  const accept = pick(next, ['application/json', tableOf, metadataOf]);
  const isList = next() < 0.5;
  const path = isList ? `${pathOf(kind)}?${pick(next, selectors)}` : `${pathOf(kind)}/${pick(next, names)}${next() < 0.2 ? '/status' : ''}`;
  return { method: 'GET', path, accept: isList && accept === metadataOf ? metadataListOf : accept };
};

const remove: Maker = (kind) => {
  const { next } = kind;
  const name = pick(next, names);
  const body = pick(next, [
    undefined,
    { propagationPolicy: 'Background' },
    { preconditions: { uid: `{{uid:${kind.plural}:${name}}}` } },
    { preconditions: { resourceVersion: '1' } },
    { gracePeriodSeconds: 5 },
    { orphanDependents: true, propagationPolicy: 'Orphan' },
  ]);
  return {
    method: 'DELETE',
    path: `${pathOf(kind)}/${name}`,
    ...(body ? { body: { kind: 'DeleteOptions', apiVersion: 'v1', ...body } } : {}),
  };
};

const makers: readonly Maker[] = [
  create,
  create,
  create,
  create,
  create,
  update,
  update,
  update,
  mergePatch,
  mergePatch,
  jsonPatch,
  apply,
  apply,
  apply,
  scale,
  read,
  read,
  remove,
];

export const generateRequest: Maker = (kind) => pick(kind.next, makers)(kind);

/** Request whose answer tells which schema is served: the enum of the field `probe`. */
export const probeRequest = (kind: RunKind): BothRequest => ({
  method: 'POST',
  path: `${pathOf(kind)}?dryRun=All`,
  body: { apiVersion: `${group}/v1`, kind: kind.kind, metadata: { name: 'probe' }, probe: 'none' },
});
