import assert from 'node:assert/strict';
import { requestAttributes } from '../../../node-agent/kubelet/server/request-permission.ts';
import { createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, startCompleteServer } from '../testing/complete-server.ts';

/** Whom the certificate makes the API server towards kubelets (apiserver-kubelet-client). */
const user = 'kube-apiserver-kubelet-client';

describe('the API server as a client of kubelets', () => {
  let complete: CompleteServer;
  before(async () => {
    complete = await startCompleteServer();
  });
  after(() => complete.close());

  const may = async (resourceAttributes: object) => {
    const { body } = await createAPICaller(complete.server.transport).post<{ status: { allowed: boolean } }>(
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      { spec: { user, groups: ['system:authenticated'], resourceAttributes } },
    );
    return body.status.allowed;
  };

  for (const [method, path] of [
    ['GET', 'containerLogs/default/web/app'],
    ['GET', 'logs/'],
    ['GET', 'exec/default/web/app'],
    ['POST', 'exec/default/web/app'],
    ['POST', 'attach/default/web/app'],
    ['POST', 'portForward/default/web'],
    ['POST', 'run/default/web/app'],
    ['GET', 'metrics/resource'],
    ['GET', 'metrics/cadvisor'],
    ['GET', 'stats/summary'],
    ['GET', 'healthz'],
    ['GET', 'pods'],
    ['GET', 'runningpods/'],
    ['GET', 'configz'],
    ['GET', 'localVolumes'],
    ['PUT', 'localVolumes/a'],
    ['DELETE', 'localVolumes/a'],
    ['POST', 'checkpoint/default/web/app'],
  ] as const)
    it(`may ${method} /${path}, as kubelets ask the API server about it`, async () => {
      const { verb, subresources } = requestAttributes(method, path.split('/'));
      const answers = await Promise.all(
        subresources.map((subresource) => may({ verb, version: 'v1', resource: 'nodes', subresource, name: 'one' })),
      );
      assert.ok(answers.includes(true), JSON.stringify({ verb, subresources }));
    });

  for (const [verb, resource, group] of [
    ['list', 'secrets', ''],
    ['get', 'configmaps', ''],
    ['create', 'pods', ''],
    ['delete', 'nodes', ''],
    ['impersonate', 'users', ''],
    ['create', 'clusterrolebindings', 'rbac.authorization.k8s.io'],
  ] as const)
    it(`may not ${verb} ${resource}`, async () => assert.equal(await may({ verb, group, version: 'v1', resource, name: 'x' }), false));
});
