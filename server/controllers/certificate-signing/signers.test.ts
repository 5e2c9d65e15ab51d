import assert from 'node:assert/strict';
import { longestMs, signers, validity } from './signers.ts';

const names = { dnsNames: [], emailAddresses: [], addresses: [], uris: [] };
const node = { ...names, commonName: 'system:node:a', organizations: ['system:nodes'] };
const client = 'kubernetes.io/kube-apiserver-client';
const kubelet = 'kubernetes.io/kube-apiserver-client-kubelet';
const serving = 'kubernetes.io/kubelet-serving';
const clientUsages = ['digital signature', 'client auth'];
const servingUsages = ['digital signature', 'server auth'];

describe('what is signed', () => {
  for (const [signer, request, usages, problem] of [
    [client, { ...names, commonName: 'jane', organizations: [] }, ['client auth'], undefined],
    [client, { ...names, commonName: 'jane', organizations: [] }, ['server auth'], 'invalid usage for client certificate: server auth'],
    [client, { ...names, commonName: 'jane', organizations: [] }, [], 'missing required usage for client certificate: client auth'],
    [kubelet, node, clientUsages, undefined],
    [kubelet, node, [...clientUsages, 'key encipherment'], undefined],
    [kubelet, node, servingUsages, 'usages did not match [client auth digital signature key encipherment]'],
    [kubelet, { ...node, organizations: ['system:masters'] }, clientUsages, 'subject organization is not system:nodes'],
    [kubelet, { ...node, organizations: ['system:nodes', 'system:masters'] }, clientUsages, 'subject organization is not system:nodes'],
    [kubelet, { ...node, commonName: 'admin' }, clientUsages, 'subject common name does not begin with system:node:'],
    [kubelet, { ...node, dnsNames: ['a'] }, clientUsages, 'DNS subjectAltNames are not allowed'],
    [serving, { ...node, addresses: ['10.0.0.1'] }, servingUsages, undefined],
    [serving, node, servingUsages, 'DNS or IP subjectAltName is required'],
    [serving, { ...node, dnsNames: ['a'], uris: ['spiffe://a'] }, servingUsages, 'URI subjectAltNames are not allowed'],
  ] as const) {
    it(`${signer} ${JSON.stringify(request)} ${usages.join()}: ${problem ?? 'yes'}`, () =>
      assert.equal(signers.get(signer)?.(request, usages), problem));
  }

  it('is nothing of other signers', () => assert.equal(signers.has('example.com/any'), false));
});

describe('how long certificates are good', () => {
  const nowMs = 1_800_000_000_000;
  const minuteMs = 60_000;
  for (const [name, seconds, endMs] of [
    ['a year where nothing is asked', undefined, nowMs + longestMs - 5 * minuteMs],
    ['a year at most', 10 * 365 * 86_400, nowMs + longestMs - 5 * minuteMs],
    ['ten minutes at least', 1, nowMs + 10 * minuteMs],
    ['as asked, in full where that is short', 3600, nowMs + 60 * minuteMs],
  ] as const) {
    it(name, () => assert.deepEqual(validity(seconds, nowMs), { notBeforeMs: nowMs - 5 * minuteMs, notAfterMs: endMs }));
  }
});
