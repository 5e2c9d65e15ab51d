import assert from 'node:assert/strict';
import type { Service, ServiceAccount } from '../../../types/core-v1.ts';
import { runtimeClasses } from '../../node/v1/runtime-class.ts';
import { serviceAccounts } from './service-account.ts';
import { services } from './service.ts';

describe('warnings', () => {
  it('of headless Services: affinity that they do not have, and not the default', () => {
    const warnings = (sessionAffinity: 'ClientIP' | 'None') => {
      const service: Service = { metadata: { name: 's' }, spec: { type: 'ClusterIP', clusterIP: 'None', sessionAffinity } };
      return services.warnings?.(service, undefined);
    };
    assert.deepEqual(warnings('ClientIP'), ['spec.SessionAffinity is ignored for headless services']);
    assert.deepEqual(warnings('None'), []);
  });
  it('of accounts that keep to their Secrets, once', () => {
    const plain: ServiceAccount = { metadata: { name: 'a' } };
    const marked: ServiceAccount = { metadata: { name: 'a', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } } };
    const warning =
      'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets';
    assert.deepEqual(serviceAccounts.warnings?.(marked, undefined), [warning]);
    assert.deepEqual(serviceAccounts.warnings?.(marked, plain), [warning]);
    assert.deepEqual(serviceAccounts.warnings?.(marked, marked), []);
    assert.deepEqual(serviceAccounts.warnings?.(plain, undefined), []);
  });
  it('of RuntimeClasses for nodes with labels of old', () => {
    const nodeSelector = { 'beta.kubernetes.io/arch': 'x', 'kubernetes.io/os': 'linux' };
    assert.deepEqual(runtimeClasses.warnings?.({ metadata: { name: 'r' }, handler: 'h', scheduling: { nodeSelector } }, undefined), [
      'scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/arch" instead',
    ]);
  });
});
