import assert from 'node:assert/strict';
import { type APICaller, createAPICaller } from '../../testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServer } from '../../testing/complete-server.ts';

const registration = '/apis/admissionregistration.k8s.io/v1';

describe('who may write policies with parameters', () => {
  let complete: CompleteServer;
  let admin: APICaller;
  let writer: APICaller;
  before(async () => {
    complete = await startCompleteServer();
    admin = createAPICaller(complete.server.transport);
    writer = createAPICaller(complete.server.transport, { name: 'writer', groups: ['system:authenticated'] });
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const rules = [
      { apiGroups: ['admissionregistration.k8s.io'], resources: ['*'], verbs: ['*'] },
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] },
    ];
    await admin.post(`${rbac}/clusterroles`, { metadata: { name: 'writer' }, rules });
    const subjects = [{ kind: 'User', name: 'writer', apiGroup: 'rbac.authorization.k8s.io' }];
    const roleRef = { kind: 'ClusterRole', name: 'writer', apiGroup: 'rbac.authorization.k8s.io' };
    await admin.post(`${rbac}/clusterrolebindings`, { metadata: { name: 'writer' }, subjects, roleRef });
    await eventually('the rights', async () => (await writer.get(`${registration}/validatingadmissionpolicies`)).status === 200);
  });
  after(() => complete.close());

  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
  const policy = (name: string, kind: string, more: object = {}) => ({
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules: [rule] },
      paramKind: { apiVersion: 'v1', kind },
      validations: [{ expression: 'true' }],
      ...more,
    },
  });
  const binding = (policyName: string, paramRef: object) => ({
    metadata: { name: policyName },
    spec: { policyName, validationActions: ['Deny'], paramRef: { parameterNotFoundAction: 'Allow', ...paramRef } },
  });
  const write = async (api: APICaller, plural: string, body: object) => {
    const { status, body: answer } = await api.post(`${registration}/${plural}`, body);
    return status === 201 ? 'written' : (answer as { message?: string }).message;
  };
  const user = 'user &{writer  [system:authenticated] map[]}';

  it('policies: who may read all objects of the kind', async () => {
    const plural = 'validatingadmissionpolicies';
    assert.equal(await write(writer, plural, policy('maps', 'ConfigMap')), 'written');
    const right = 'must have "get" permission on all objects of the referenced paramKind (kind=Secret, apiVersion=v1)';
    assert.equal(
      await write(writer, plural, policy('secrets', 'Secret')),
      `ValidatingAdmissionPolicy.admissionregistration.k8s.io "secrets" is invalid: spec.paramKind: Forbidden: ${user} ${right}`,
    );
    const mutation = { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } };
    const mutating = policy('secrets', 'Secret', { validations: undefined, reinvocationPolicy: 'Never', mutations: [mutation] });
    assert.match((await write(writer, 'mutatingadmissionpolicies', mutating)) ?? '', /spec\.paramKind: Forbidden: user .* must have "get"/);
    assert.equal(await write(admin, plural, policy('secrets', 'Secret')), 'written');
    const path = `${registration}/${plural}/secrets`;
    assert.equal((await writer.patch(path, 'merge', { metadata: { labels: { a: 'b' } } })).status, 200);
    assert.equal((await writer.patch(`${registration}/${plural}/maps`, 'merge', { spec: { paramKind: { kind: 'Secret' } } })).status, 422);
  });

  it('bindings: who may read the parameters', async () => {
    const plural = 'validatingadmissionpolicybindings';
    const refused = (name: string, verb: string) =>
      `ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io "${name}" is invalid: spec.paramRef: Forbidden: ${user} does not have "${verb}" permission on the object referenced by paramRef`;
    await eventually(
      'the policy',
      async () => (await write(writer, plural, binding('secrets', { name: 's' }))) === refused('secrets', 'get'),
    );
    assert.equal(await write(writer, plural, binding('secrets', { selector: {} })), refused('secrets', 'list'));
    assert.match((await write(writer, plural, binding('none', { name: 's' }))) ?? '', /Forbidden: unable to get policy none to determine/);
    assert.equal(await write(writer, plural, binding('maps', { name: 's' })), 'written');
    assert.equal(await write(admin, plural, binding('secrets', { name: 's' })), 'written');
  });
});
