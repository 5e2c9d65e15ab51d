import assert from 'node:assert/strict';
import type { APIRequest, APIResponse } from '../../../api/client/transport.ts';
import { createStartGate } from './start-gate.ts';

const request = (path: string, peer?: APIRequest['peer']): APIRequest => ({
  method: 'GET',
  path,
  query: '',
  headers: {},
  signal: new AbortController().signal,
  ...(peer && { peer }),
});
const outside = { address: '192.0.2.1' };

describe('start gate', () => {
  it('holds what comes from outside until it opens, but not probes and not the server itself', async () => {
    const asked: string[] = [];
    const gate = createStartGate();
    const transport = gate.guard(({ path }): Promise<APIResponse> => {
      asked.push(path);
      return Promise.resolve({ status: 200, headers: {}, body: { kind: 'none' } });
    });
    const held = transport(request('/api/v1/nodes', outside));
    await transport(request('/readyz', outside));
    await transport(request('/apis/rbac.authorization.k8s.io/v1/clusterroles'));
    assert.deepEqual(asked, ['/readyz', '/apis/rbac.authorization.k8s.io/v1/clusterroles']);
    gate.open();
    assert.equal((await held).status, 200);
    await transport(request('/version', outside));
    assert.deepEqual(asked.slice(2), ['/api/v1/nodes', '/version']);
  });
});
