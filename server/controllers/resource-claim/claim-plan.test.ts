import assert from 'node:assert/strict';
import type { ObjectMeta } from '../../../api/types/meta-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ResourceClaim } from '../../../api/types/resource-v1.ts';
import { generateName } from './claim-for-pod.ts';
import { isLeftOver, planClaim } from './claim-plan.ts';

const user = (name: string) => ({ resource: 'pods', name, uid: `uid of ${name}` });
const finalizers = ['resource.kubernetes.io/delete-protection'];
const claim = (users: string[], metadata: ObjectMeta = {}, isAllocated = true): ResourceClaim => ({
  metadata: { namespace: 'ns', name: 'c', finalizers, ...metadata },
  spec: {},
  status: { ...(isAllocated ? { allocation: { devices: {} } } : {}), reservedFor: users.map(user) },
});
const deletionTimestamp = '2026-01-01T00:00:00Z';

describe('resource claims: plan', () => {
  const cases: [string, ResourceClaim, string[], object][] = [
    ['stay as they are while they are used', claim(['a']), ['a'], { deallocates: false, losesFinalizer: false }],
    ['lose users that have ended', claim(['a', 'b']), ['b'], { reservedFor: [user('b')], deallocates: false, losesFinalizer: false }],
    ['lose their devices with the last user', claim(['a']), [], { reservedFor: [], deallocates: true, losesFinalizer: true }],
    ['keep devices that nobody has used yet', claim([]), [], { deallocates: false, losesFinalizer: false }],
    [
      'keep devices that somebody else has given them',
      claim(['a'], { finalizers: [] }),
      [],
      { reservedFor: [], deallocates: false, losesFinalizer: false },
    ],
    ['go when nobody uses them', claim([], { deletionTimestamp }), [], { deallocates: true, losesFinalizer: true }],
    ['go without devices, too', claim([], { deletionTimestamp }, false), [], { deallocates: false, losesFinalizer: true }],
    ['do not go while they are used', claim(['a'], { deletionTimestamp }), ['a'], { deallocates: false, losesFinalizer: false }],
  ];
  for (const [what, given, users, expected] of cases) it(what, () => assert.deepEqual(planClaim(given, users.map(user)), expected));

  const owned = claim([], { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true }] });
  const pod = (uid: string, rest: Partial<Pod> = {}): Pod => ({ metadata: { name: 'p', uid }, ...rest });
  const leftOvers: [string, ResourceClaim, Pod | undefined, boolean][] = [
    ['of a pod that runs', owned, pod('u'), false],
    ['of a pod that has ended', owned, pod('u', { status: { phase: 'Failed' } }), true],
    ['of a pod that was deleted before it had a node', owned, { metadata: { name: 'p', uid: 'u', deletionTimestamp } }, true],
    ['of a pod before this one', owned, pod('other'), true],
    ['of a pod that is not known', owned, undefined, false],
    ['that nobody owns', claim([]), pod('u'), false],
  ];
  for (const [what, given, known, expected] of leftOvers)
    it(`${expected ? 'removes' : 'leaves'} one ${what}`, () =>
      assert.equal(
        isLeftOver(given, () => known),
        expected,
      ));

  const long = 'x'.repeat(60);
  const names: [string, string, string][] = [
    ['pod', 'gpu', 'pod-gpu-'],
    [long, 'y'.repeat(60), `${'x'.repeat(28)}-${'y'.repeat(28)}`],
    [long, 'gpu', `${'x'.repeat(52)}-gp`],
  ];
  for (const [podName, podClaim, expected] of names)
    it(`names the claim ${podClaim.slice(0, 5)} of ${podName.slice(0, 5)}`, () => assert.equal(generateName(podName, podClaim), expected));
});
