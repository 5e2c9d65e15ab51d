import { defineResource } from '../../../../api/resource/define-resource.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';

/** A CustomResourceDefinition of CronTabs, with all subresources. */
export function cronTabDefinition(changes: { readonly names?: object; readonly spec?: object; readonly version?: object } = {}) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'crontabs.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', shortNames: ['ct'], categories: ['all'], ...changes.names },
      versions: [cronTabVersion('v1', { storage: true, ...changes.version })],
      ...changes.spec,
    },
  };
}

export function cronTabVersion(name: string, changes: object = {}) {
  return {
    name,
    served: true,
    storage: false,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: {
              cronSpec: { type: 'string' },
              image: { type: 'string', default: 'busybox' },
              replicas: { type: 'integer' },
              labelSelector: { type: 'string' },
            },
          },
          status: { type: 'object', properties: { replicas: { type: 'integer' }, selector: { type: 'string' } } },
        },
      },
    },
    subresources: {
      status: {},
      scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' },
    },
    ...changes,
  };
}

export const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const cronTabsPath = '/apis/stable.example.com/v1/namespaces/default/crontabs';

export function cronTab(name: string, fields: object = {}) {
  return { apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name }, ...fields };
}

/** CronTabs as a client sees them. */
export const cronTabs = defineResource<UntypedObject>({
  group: 'stable.example.com',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'CronTab', plural: 'crontabs' },
  definition: '',
});
