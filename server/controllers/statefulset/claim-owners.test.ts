import assert from 'node:assert/strict';
import type { StatefulSet } from '../../../api/types/apps-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { OwnerReference } from '../../../api/types/meta-v1.ts';
import { planClaimOwners } from './claim-owners.ts';

type Policy = 'Retain' | 'Delete';

const pod: Pod = { metadata: { name: 'web-1', uid: 'pod-uid' } };
const setWith = (whenDeleted: Policy, whenScaled: Policy): StatefulSet => ({
  metadata: { name: 'web', uid: 'set-uid' },
  spec: { selector: {}, serviceName: 'web', template: {}, persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } },
});
const controls = { controller: true, blockOwnerDeletion: true };
const bySet: OwnerReference = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'set-uid', ...controls };
const byPod: OwnerReference = { apiVersion: 'v1', kind: 'Pod', name: 'web-1', uid: 'pod-uid', ...controls };
const byOther: OwnerReference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x-uid' };
const byController: OwnerReference = { ...byOther, uid: 'y-uid', ...controls };
const { controller: _, blockOwnerDeletion: __, ...loosely } = bySet;

describe('planClaimOwners', () => {
  const cases: [
    what: string,
    policy: [Policy, Policy],
    isCondemned: boolean,
    present: OwnerReference[],
    expected: OwnerReference[] | 'keep',
  ][] = [
    ['retained claims have no owner', ['Retain', 'Retain'], false, [], 'keep'],
    ['a claim that is retained from now on loses the set', ['Retain', 'Retain'], false, [byOther, bySet], [byOther]],
    ['a claim that is retained from now on loses the Pod', ['Retain', 'Retain'], true, [byPod], []],
    ['the set owns claims that are deleted with it', ['Delete', 'Retain'], false, [byOther], [byOther, bySet]],
    ['also those of a Pod that is scaled away', ['Delete', 'Retain'], true, [bySet], 'keep'],
    ['the set becomes the controller where it is an owner only', ['Delete', 'Retain'], false, [loosely], [bySet]],
    ['the Pod owns claims once it is scaled away', ['Retain', 'Delete'], true, [], [byPod]],
    ['and not before', ['Retain', 'Delete'], false, [byPod], []],
    ['with both the Pod takes over from the set', ['Delete', 'Delete'], true, [bySet], [byPod]],
    ['and the set from the Pod', ['Delete', 'Delete'], false, [byPod], [bySet]],
    ['the claim of another controller is left to it', ['Delete', 'Delete'], false, [byController], 'keep'],
    ['the set leaves a claim to another controller', ['Delete', 'Delete'], false, [byController, bySet], [byController]],
    ['another controller does not matter to a claim that is retained', ['Retain', 'Retain'], false, [byController, bySet], [byController]],
    ['an earlier set of this name is left alone', ['Delete', 'Delete'], false, [{ ...bySet, uid: 'earlier' }], 'keep'],
    ['an earlier Pod of this name is left alone', ['Retain', 'Retain'], false, [{ ...byPod, uid: 'earlier' }, bySet], 'keep'],
    [
      'an object of another kind by the same name is somebody else',
      ['Retain', 'Retain'],
      false,
      [{ ...bySet, apiVersion: 'example.com/v1' }],
      'keep',
    ],
  ];
  for (const [what, [whenDeleted, whenScaled], isCondemned, present, expected] of cases)
    it(what, () => {
      const plan = planClaimOwners(setWith(whenDeleted, whenScaled), pod, isCondemned, present);
      assert.deepEqual(plan?.references ?? 'keep', expected);
      assert.equal(plan?.hasConflict ?? false, what.startsWith('the set leaves'));
    });
});
