import { startCluster, type TestCluster } from '../support/cluster.ts';
import { killInCreates } from '../support/kill-in-creates.ts';

describe('SIGKILL of the control plane in the middle of 1,000 creates', function () {
  this.timeout(120_000);
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ node: false });
  });
  after(() => cluster?.stop());

  // The moment of the kill is random, so several rounds hit more of the possible moments.
  for (const round of [1, 2, 3]) {
    it(`loses nothing that was acknowledged, and watches go on without a gap (round ${round})`, async () => {
      const namespace = `kill-${round}`;
      await cluster.run(['create', 'namespace', namespace]);
      await killInCreates(cluster, namespace);
    });
  }
});
