import assert from 'node:assert/strict';
import { describeDifference, type DifferentialResult, runDifferential } from '../../differential/run-differential.ts';

/** Requests of each part of the generator, and odd paths. */
const [each, paths, seed] = [100, 2000, 1];

/** kubets beside the kube-apiserver that KUBETS_UPSTREAM_APISERVER names, which needs etcd; without it this is not run. */
describe('kubets and kube-apiserver on the same requests', function () {
  this.timeout(900_000);
  let result: DifferentialResult;
  before(async function () {
    const program = process.env['KUBETS_UPSTREAM_APISERVER'];
    if (program === undefined || program === '') return this.skip();
    result = await runDifferential(program, { each, paths, seed });
  });

  it('give the same verdicts, but for deviations that have a reason', () => {
    const total = [...result.counts.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(total > 3000, `only ${total} requests`);
    assert.deepEqual(result.differences.map(describeDifference), []);
  });
});
