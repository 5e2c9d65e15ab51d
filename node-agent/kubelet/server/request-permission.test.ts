import assert from 'node:assert/strict';
import { userOfCertificate } from './request-identity.ts';
import { requestAttributes } from './request-permission.ts';

describe('requests of the kubelet API', () => {
  const cases: [string, string, string, string[]][] = [
    ['GET', '/containerLogs/n/p/c', 'get', ['proxy']],
    ['GET', '/exec/n/p/c', 'create', ['proxy']],
    ['POST', '/exec/n/p/c', 'create', ['proxy']],
    ['GET', '/portForward/n/p', 'create', ['proxy']],
    ['GET', '/stats/summary', 'get', ['stats']],
    ['GET', '/metrics', 'get', ['metrics']],
    ['GET', '/metrics/cadvisor', 'get', ['metrics']],
    ['GET', '/metricsx', 'get', ['proxy']],
    ['GET', '/pods', 'get', ['pods', 'proxy']],
    ['GET', '/healthz', 'get', ['healthz', 'proxy']],
    ['DELETE', '/anything', 'delete', ['proxy']],
  ];
  for (const [method, path, verb, subresources] of cases) {
    it(`${method} ${path}`, () => assert.deepEqual(requestAttributes(method, path.slice(1).split('/')), { verb, subresources }));
  }

  it('reads the user out of a certificate', () => {
    const groups = ['system:masters', 'two', 'system:authenticated'];
    assert.deepEqual(userOfCertificate({ subject: 'O=system:masters\nO=two\nCN=apiserver' }), { name: 'apiserver', groups });
    assert.equal(userOfCertificate({ subject: 'O=nobody' }), undefined);
  });
});
