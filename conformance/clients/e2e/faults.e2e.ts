import { type FaultCluster, startFaultCluster } from '../../faults/fault-cluster.ts';
import { faultKinds } from '../../faults/fault-kinds.ts';
import type { MachineState } from '../../faults/machine-state.ts';
import { readBaseline, runRound } from '../../faults/run-round.ts';

/** A few of the rounds that `npm run faults` goes through: their seeds meet a killed agent, runtime, API server and node. */
const seeds = [2, 5];

describe('SIGKILL of parts of a cluster of two nodes while Pods come and go', function () {
  this.timeout(180_000);
  let cluster: FaultCluster;
  let baseline: MachineState[];
  before(async () => {
    cluster = await startFaultCluster();
    baseline = await readBaseline(cluster);
  });
  after(() => cluster?.stop());

  for (const seed of seeds) {
    it(`everything recovers and nothing is left (seed ${seed})`, async () => {
      await runRound(cluster, seed, faultKinds, baseline);
    });
  }
});
