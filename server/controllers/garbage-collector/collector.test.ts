import assert from 'node:assert/strict';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { roles } from '../../../api/resources/rbac/v1/role.ts';
import { type ControlPlane, startControlPlane } from '../testing/control-plane.ts';

const namespace = 'default';

describe('garbage collector', () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await startControlPlane();
  });
  after(() => plane.stop());

  /** Names that the path of a request may hold: those of RBAC objects have no other rule. */
  for (const name of ['plain', 'a|b', 'a"b', '[1]', 'system:a:b', 'ä ö'])
    it(`deletes the dependents of a deleted owner, also one by the name ${name}`, async () => {
      const { client } = plane;
      const owner = await client(configMaps).create({ metadata: { namespace, generateName: 'owner-' } });
      const { name: ownerName = '', uid = '' } = owner.metadata;
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: ownerName, uid }];
      await client(roles).create({ metadata: { namespace, name, ownerReferences } });
      await client(configMaps).delete({ namespace, name: ownerName });
      await plane.waitFor('its end', async () => (await ignoreNotFound(client(roles).get({ namespace, name }))) === undefined);
    });

  it('ends the foreground deletion of an object by the name a|b', async () => {
    const { client } = plane;
    const key = { namespace, name: 'a|b' };
    await client(roles).create({ metadata: { ...key } });
    await client(roles).delete(key, { propagationPolicy: 'Foreground' });
    await plane.waitFor('its end', async () => (await ignoreNotFound(client(roles).get(key))) === undefined);
    assert.deepEqual(plane.complaints, []);
  });
});
