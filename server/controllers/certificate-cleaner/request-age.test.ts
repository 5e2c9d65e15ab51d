import assert from 'node:assert/strict';
import type { CertificateSigningRequest } from '../../../api/types/certificates-v1.ts';
import { requestEndMs } from './request-age.ts';

describe('how long certificate signing requests are kept', () => {
  const createdMs = Date.parse('2026-01-01T00:00:00Z');
  const hourMs = 3_600_000;
  const request = (type?: 'Approved' | 'Denied' | 'Failed', certificate?: string): CertificateSigningRequest => ({
    metadata: { name: 'csr', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { request: '', signerName: 'example.com/any', usages: [] },
    status: {
      ...(type === undefined ? {} : { conditions: [{ type, status: 'True', lastUpdateTime: '2026-01-01T02:00:00Z' }] }),
      ...(certificate === undefined ? {} : { certificate }),
    },
  });

  for (const [name, one, hours] of [
    ['that nobody has decided: a day', request(), 24],
    ['denied: an hour longer', request('Denied'), 3],
    ['failed: an hour longer', request('Failed'), 3],
    ['granted: an hour longer', request('Approved', 'Y2VydA=='), 3],
    ['approved but not signed: until it is', request('Approved'), Number.POSITIVE_INFINITY],
  ] as const) {
    it(name, () => assert.equal(requestEndMs(one), hours === Number.POSITIVE_INFINITY ? hours : createdMs + hours * hourMs));
  }
});
