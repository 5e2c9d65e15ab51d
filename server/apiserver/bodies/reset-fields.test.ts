import assert from 'node:assert/strict';
import { catalog } from '../../../api/resources/catalog.ts';
import { resetFieldsOf } from './reset-fields.ts';

const leaf = {};
const [spec, status, metadata] = [{ 'f:spec': leaf }, { 'f:status': leaf }, { 'f:metadata': leaf }];

describe('fields that nobody owns by a request to a resource', () => {
  const fieldsOf = (group: string, plural: string, subresource: string) => {
    const definition = catalog.find((one) => one.group === group && one.names.plural === plural);
    assert.ok(definition, plural);
    return resetFieldsOf(definition, subresource);
  };

  // Of the strategies of a kube-apiserver.
  for (const [group, plural, subresource, expected] of [
    ['', 'configmaps', '', {}],
    ['', 'pods', '', status],
    ['', 'pods', 'status', { 'f:metadata': { 'f:deletionTimestamp': leaf, 'f:ownerReferences': leaf }, ...spec }],
    ['', 'pods', 'resize', {}],
    ['', 'nodes', 'status', spec],
    ['', 'namespaces', 'status', spec],
    ['', 'namespaces', 'finalize', status],
    ['apps', 'deployments', 'status', { 'f:metadata': { 'f:labels': leaf }, ...spec }],
    ['apps', 'statefulsets', 'status', spec],
    ['certificates.k8s.io', 'certificatesigningrequests', '', status],
    ['certificates.k8s.io', 'certificatesigningrequests', 'status', { ...spec, 'f:status': { 'f:conditions': leaf } }],
    ['certificates.k8s.io', 'certificatesigningrequests', 'approval', { ...spec, 'f:status': { 'f:certificate': leaf } }],
    ['apiextensions.k8s.io', 'customresourcedefinitions', 'status', { ...metadata, ...spec }],
    ['apiregistration.k8s.io', 'apiservices', 'status', { ...metadata, ...spec }],
    ['admissionregistration.k8s.io', 'validatingadmissionpolicies', 'status', { ...metadata, ...spec }],
    ['storage.k8s.io', 'volumeattachments', 'status', { ...metadata, ...spec }],
    ['flowcontrol.apiserver.k8s.io', 'flowschemas', 'status', { ...metadata, ...spec }],
    ['flowcontrol.apiserver.k8s.io', 'prioritylevelconfigurations', 'status', { ...metadata, ...spec }],
  ] as const)
    it(`${plural}${subresource === '' ? '' : `/${subresource}`}`, () => {
      assert.deepEqual(JSON.parse(JSON.stringify(fieldsOf(group, plural, subresource))), expected);
    });
});
