import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { parseIP } from '../../../base/ip-address.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateEach, validateRequired } from '../../../resource/field-rules.ts';
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule } from '../../../types/networking-v1.ts';
import { type FieldError, invalid, notSupported, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { portNameProblems, portNumberProblems } from '../../../validation/formats.ts';
import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  pathSegmentNameProblems,
  wildcardDNS1123SubdomainProblems,
} from '../../../validation/names.ts';

const classAnnotation = 'kubernetes.io/ingress.class';
const maxShownHosts = 3;

/** Routes HTTP from outside to Services by host and path. */
export const ingresses = defineResource<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Ingress', plural: 'ingresses', shortNames: ['ing'] },
  definition: 'io.k8s.api.networking.v1.Ingress',
  subresources: {
    status: { kind: 'Ingress', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'ingress',
  hasGeneration: true,
  printerColumns: [
    nameColumn,
    textColumn('Class', ({ spec }) => spec?.ingressClassName ?? '<none>'),
    textColumn('Hosts', formatHosts),
    textColumn('Address', ({ status }) => {
      const addresses = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '');
      return [...new Set(addresses.filter((address) => address !== ''))].sort().join(',');
    }),
    textColumn('Ports', ({ spec }) => ((spec?.tls ?? []).length > 0 ? '80, 443' : '80')),
    ageColumn,
  ],
  validate({ metadata, spec = {} }, path, { operation }) {
    const at = path.child('spec');
    const errors: FieldError[] = [];
    if ((spec.rules ?? []).length === 0 && spec.defaultBackend === undefined) {
      errors.push(invalid(at, spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
    }
    if (spec.defaultBackend !== undefined) errors.push(...validateBackend(spec.defaultBackend, at.child('defaultBackend')));
    errors.push(
      ...validateEach(spec.rules, at.child('rules'), validateRule),
      ...validateEach(spec.tls, at.child('tls'), ({ hosts, secretName }, tlsPath) => [
        ...validateEach(hosts, tlsPath.child('hosts'), (host, hostPath) => validateHost(host, hostPath)),
        ...(secretName ? invalidFor(tlsPath.child('secretName'), secretName, dns1123SubdomainProblems(secretName)) : []),
      ]),
    );
    const { ingressClassName } = spec;
    if (ingressClassName !== undefined) {
      errors.push(...invalidFor(at.child('ingressClassName'), ingressClassName, dns1123SubdomainProblems(ingressClassName)));
    }
    const annotated = metadata.annotations?.[classAnnotation];
    if (operation === 'create' && annotated !== undefined && ingressClassName !== undefined) {
      const annotation = path.child('metadata', 'annotations').key(classAnnotation);
      errors.push(invalid(annotation, annotated, 'can not be set when the class field is also set'));
    }
    return errors;
  },
  warnings: ({ metadata }, old) =>
    old === undefined && metadata.annotations?.[classAnnotation] !== undefined
      ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
});

function formatHosts({ spec }: DeepReadonly<Ingress>): string {
  const rules = spec?.rules ?? [];
  const hosts = rules.map(({ host }) => host ?? '').filter((host) => host !== '');
  if (hosts.length === 0) return '*';
  const shown = hosts.slice(0, maxShownHosts).join(',');
  return hosts.length > maxShownHosts ? `${shown} + ${rules.length - maxShownHosts} more...` : shown;
}

function validateRule({ host, http }: DeepReadonly<IngressRule>, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (host) {
    if (parseIP(host) !== undefined) errors.push(invalid(at.child('host'), host, 'must be a DNS name, not an IP address'));
    errors.push(...validateHost(host, at.child('host')));
  }
  if (http === undefined) return errors;
  const paths = at.child('http', 'paths');
  if ((http.paths ?? []).length === 0) return [...errors, required(paths)];
  return [...errors, ...validateEach(http.paths, paths, validatePath)];
}

function validateHost(host: string, path: FieldPath): FieldError[] {
  return invalidFor(path, host, host.includes('*') ? wildcardDNS1123SubdomainProblems(host) : dns1123SubdomainProblems(host));
}

const forbiddenSequences = ['//', '/./', '/../', '%2f', '%2F'];
const forbiddenEndings = ['/..', '/.'];

function validatePath({ path = '', pathType, backend }: DeepReadonly<HTTPIngressPath>, at: FieldPath): FieldError[] {
  const pathField = at.child('path');
  const errors: FieldError[] = [];
  if (pathType === undefined) return [required(at.child('pathType'), 'pathType must be specified')];
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) errors.push(invalid(pathField, path, 'must be an absolute path'));
    for (const sequence of forbiddenSequences)
      if (path.includes(sequence)) errors.push(invalid(pathField, path, `must not contain '${sequence}'`));
    for (const ending of forbiddenEndings) if (path.endsWith(ending)) errors.push(invalid(pathField, path, `cannot end with '${ending}'`));
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) errors.push(invalid(pathField, path, 'must be an absolute path'));
  } else errors.push(notSupported(at.child('pathType'), pathType, ['Exact', 'ImplementationSpecific', 'Prefix']));
  return [...errors, ...validateBackend(backend ?? {}, at.child('backend'))];
}

/** A part of a reference to an object of any kind. */
export function validateReferenced(path: FieldPath, value: string | undefined, whenMissing: string): FieldError[] {
  return value ? invalidFor(path, value, pathSegmentNameProblems(value)) : [required(path, whenMissing)];
}

function validateBackend({ service, resource }: DeepReadonly<IngressBackend>, at: FieldPath): FieldError[] {
  if (service && resource) return [invalid(at, '', 'cannot set both resource and service backends')];
  if (resource) {
    const path = at.child('resource');
    const { apiGroup, kind, name } = resource;
    return [
      ...(apiGroup === undefined || apiGroup === null
        ? []
        : invalidFor(path.child('apiGroup'), apiGroup, dns1123SubdomainProblems(apiGroup))),
      ...validateReferenced(path.child('kind'), kind, 'kind is required'),
      ...validateReferenced(path.child('name'), name, 'name is required'),
    ];
  }
  if (!service) return [invalid(at, '', 'resource or service backend is required')];
  const path = at.child('service');
  const { name: portName = '', number: portNumber = 0 } = service.port ?? {};
  const errors = validateRequired(path.child('name'), service.name, dns1123LabelProblems);
  if (portName !== '' && portNumber !== 0) errors.push(invalid(at, '', 'cannot set both port name & port number'));
  else if (portName !== '') errors.push(...invalidFor(path.child('port', 'name'), portName, portNameProblems(portName)));
  else if (portNumber !== 0) errors.push(...invalidFor(path.child('port', 'number'), portNumber, portNumberProblems(portNumber)));
  else errors.push(required(at, 'port name or number is required'));
  return errors;
}
