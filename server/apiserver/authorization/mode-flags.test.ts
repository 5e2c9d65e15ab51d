import assert from 'node:assert/strict';
import { type AuthorizationFlags, planAuthorization } from './mode-flags.ts';

const refused: [AuthorizationFlags, string][] = [
  [
    { authorizationConfig: 'a', authorizationMode: ['RBAC'] },
    '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
  ],
  [
    { authorizationConfig: 'a', authorizationWebhookCacheAuthorizedTtl: 1 },
    '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
  ],
  [{ authorizationMode: [] }, 'at least one authorization-mode must be passed'],
  [{ authorizationMode: ['Foo'] }, 'authorization-mode "Foo" is not a valid mode'],
  [{ authorizationMode: ['RBAC', 'RBAC'] }, 'authorization-mode ["RBAC" "RBAC"] has mode specified more than once'],
  [{ authorizationMode: ['Webhook'] }, "authorization-mode Webhook's authorization config file not passed"],
  [{ authorizationWebhookConfigFile: 'a' }, 'cannot specify --authorization-webhook-config-file without mode Webhook'],
  [
    { authorizationMode: ['Webhook'], authorizationWebhookConfigFile: 'a', authorizationWebhookVersion: 'v2' },
    'unsupported webhook authorizer version "v2", supported versions are "v1", "v1beta1"',
  ],
  [{ authorizationMode: ['ABAC'] }, 'authorization-mode ABAC: ABAC policy files are not supported, use RBAC or a webhook'],
  [
    { authorizationMode: ['Foo', 'Webhook'] },
    '[authorization-mode "Foo" is not a valid mode, authorization-mode Webhook\'s authorization config file not passed]',
  ],
];

describe('authorization flags', () => {
  for (const [flags, message] of refused) it(`are refused: ${message}`, () => assert.throws(() => planAuthorization(flags), { message }));

  it('mean Node and RBAC where there are none', () => {
    assert.deepEqual(planAuthorization({}), {
      authorizers: [
        { type: 'Node', name: 'node' },
        { type: 'RBAC', name: 'rbac' },
      ],
    });
  });

  it('mean a webhook with defaults of upstream', () => {
    const flags = {
      authorizationMode: ['Webhook', 'RBAC'],
      authorizationWebhookConfigFile: '/w',
      authorizationWebhookCacheUnauthorizedTtl: 0,
    };
    assert.deepEqual(planAuthorization(flags), {
      authorizers: [
        {
          type: 'Webhook',
          name: 'default',
          webhook: {
            ...{ authorizedTTLMs: 300_000, unauthorizedTTLMs: 0, timeoutMs: 30_000, reviewVersion: 'v1beta1', failurePolicy: 'NoOpinion' },
            ...{ kubeConfigFile: '/w', matchConditions: [] },
          },
        },
        { type: 'RBAC', name: 'rbac' },
      ],
    });
  });
});
