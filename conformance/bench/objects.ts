import type { BenchResource } from './bench-resource.ts';
import { customResources } from './custom-kinds.ts';
import { type RequestTemplate, versionMark } from './load/task.ts';

/** The objects that are worked with, as templates: `%N%` is an object's number, `%V%` a new value. */

export const namespace = 'bench';
export const defaultServiceAccount = 'default';

const configMaps: BenchResource = {
  plural: 'configmaps',
  kind: 'ConfigMap',
  collection: (inNamespace) => `/api/v1/namespaces/${inNamespace}/configmaps`,
  body: (name, labels) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { 'app.properties': configuration } }),
};

const pods: BenchResource = {
  plural: 'pods',
  kind: 'Pod',
  collection: (inNamespace) => `/api/v1/namespaces/${inNamespace}/pods`,
  body: (name, labels) => JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: podMetadata(name, labels), spec: podSpec }),
};

export const benchResources = { configmaps: configMaps, pods, ...customResources } as const;
export type BenchResourceName = keyof typeof benchResources;
export const benchResourceNames = Object.keys(benchResources) as BenchResourceName[];

/** About a kilobyte of lines as of a program's configuration. */
const configuration = Array.from(
  { length: 24 },
  (_, line) => `service.setting-${line}.timeout = ${line * 37}ms # as agreed ${line}\n`,
).join('');

function podMetadata(name: string, labels: Readonly<Record<string, string>>) {
  return {
    name,
    labels: { app: 'web', 'app.kubernetes.io/name': 'web', 'pod-template-hash': '6d4cf56db6', ...labels },
    annotations: {
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '9102',
      'checksum/config': 'f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2',
    },
  };
}

const probe = (path: string, periodSeconds: number) => ({
  httpGet: { path, port: 8080 },
  periodSeconds,
  timeoutSeconds: 2,
  failureThreshold: 3,
});

/** A Pod as the Deployment of a service with a sidecar would make it. No scheduler takes it, so it does not change. */
const podSpec = {
  schedulerName: 'nobody',
  serviceAccountName: defaultServiceAccount,
  // The volume that admission would add has a different name in each Pod, which a template could not contain.
  automountServiceAccountToken: false,
  terminationGracePeriodSeconds: 30,
  securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 },
  initContainers: [
    {
      name: 'migrate',
      image: 'registry.example/web:1.27.3',
      command: ['/app/migrate', '--wait'],
      resources: { requests: { cpu: '100m' } },
    },
  ],
  containers: [
    {
      name: 'web',
      image: 'registry.example/web:1.27.3',
      args: ['--listen=:8080', '--config=/etc/web/app.properties'],
      ports: [{ name: 'http', containerPort: 8080 }],
      env: [
        { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'database', key: 'url' } } },
        { name: 'LOG_LEVEL', value: 'info' },
      ],
      resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { cpu: '1', memory: '512Mi' } },
      livenessProbe: probe('/healthz', 10),
      readinessProbe: probe('/readyz', 5),
      volumeMounts: [
        { name: 'config', mountPath: '/etc/web', readOnly: true },
        { name: 'cache', mountPath: '/var/cache/web' },
      ],
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    },
    {
      name: 'metrics',
      image: 'registry.example/exporter:0.9.1',
      ports: [{ name: 'metrics', containerPort: 9102 }],
      resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '64Mi' } },
      volumeMounts: [{ name: 'cache', mountPath: '/var/cache/web', readOnly: true }],
    },
  ],
  volumes: [
    { name: 'config', configMap: { name: 'web' } },
    { name: 'cache', emptyDir: { sizeLimit: '1Gi' } },
  ],
};

export const objectName = 'bench-%N%';
const valueAnnotation = 'bench/value';

export function createTemplate(resource: BenchResource, inNamespace = namespace): RequestTemplate {
  const body = resource.body(objectName, { bench: 'true' });
  return { method: 'POST', path: resource.collection(inNamespace), body };
}

/** The update of a client that has read the object: sends all of it with one annotation changed. `read` is any of the objects. */
export function updateTemplate(resource: BenchResource, read: Record<string, unknown>, inNamespace = namespace): RequestTemplate {
  const { metadata, ...rest } = read as { metadata: Record<string, unknown> };
  const { uid: _uid, resourceVersion: _revision, creationTimestamp: _created, annotations, ...kept } = metadata;
  // Custom objects are not updated without.
  const version = resource.definition ? { resourceVersion: versionMark } : {};
  const changed = {
    ...kept,
    ...version,
    name: objectName,
    annotations: { ...(annotations as object | undefined), [valueAnnotation]: '%V%' },
  };
  const body = JSON.stringify({ ...rest, metadata: changed });
  return { method: 'PUT', path: `${resource.collection(inNamespace)}/${objectName}`, body };
}

export function patchTemplate(resource: BenchResource): RequestTemplate {
  const body = JSON.stringify({ metadata: { annotations: { [valueAnnotation]: '%V%' } } });
  const contentType = resource.definition ? 'application/merge-patch+json' : 'application/strategic-merge-patch+json';
  return { ...objectTemplate('PATCH', resource), contentType, body };
}

export function applyTemplate(resource: BenchResource): RequestTemplate {
  const { apiVersion } = JSON.parse(resource.body(objectName, {})) as { readonly apiVersion: string };
  const body = JSON.stringify({ apiVersion, kind: resource.kind, metadata: { name: objectName, labels: { 'bench-value': '%V%' } } });
  const { method, path } = objectTemplate('PATCH', resource);
  return { method, path: `${path}?fieldManager=bench-apply&force=true`, contentType: 'application/apply-patch+yaml', body };
}

export function objectTemplate(method: 'GET' | 'DELETE' | 'PATCH', resource: BenchResource): RequestTemplate {
  return { method, path: `${resource.collection(namespace)}/${objectName}` };
}

export function listTemplate(resource: BenchResource, limit: number): RequestTemplate {
  return { method: 'GET', path: `${resource.collection(namespace)}?limit=${limit}` };
}
