import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-api-machinery] Servers with support for Table transformation should return a 406 for a backend which does not implement metadata [Conformance]',
  release: 'v1.16',
  behavior: 'Asking for a Table of a kind without metadata MUST be answered with 406 Not Acceptable.',
  async run({ request, namespace }) {
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { namespace, verb: 'get', resource: 'pods' } },
    };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const answer = await request('POST', path, { body, accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    assert.equal(answer.status, 406, answer.text);
    const { kind, reason, code } = answer.json() as { kind: string; reason: string; code: number };
    assert.deepEqual({ kind, reason, code }, { kind: 'Status', reason: 'NotAcceptable', code: 406 });
  },
});
