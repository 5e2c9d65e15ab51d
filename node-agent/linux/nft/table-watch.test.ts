import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { sleep } from '../../../api/base/clock.ts';
import { masqueradeRules } from '../../network/cni/masquerade-rules.ts';
import { renderPolicyTableRemoval } from '../../network/policy/policy-table.ts';
import { renderBaseTable, renderTableRemoval } from '../../network/proxy/nftables/base-table.ts';
import { renderAbsenceRemoval, renderAbsenceRules } from '../../network/dns/absence-rules.ts';
import { createNamespacePool, type Namespace, networkTestsArePossible } from '../../network/proxy/testing/test-network.ts';
import { createLineSplitter, type FollowedProgram, followProgram } from '../processes/follow-program.ts';
import { createNFT, type NFT } from './nft.ts';
import { createTableWatch, parseDeletion, tableFates } from './table-watch.ts';

describe('deletions of tables', () => {
  it('are told by the lines of nft', () => {
    assert.equal(parseDeletion('delete table ip kube-proxy'), 'ip kube-proxy');
    for (const line of ['add table ip kube-proxy', 'delete chain ip kube-proxy x', '# new generation 8 by process 7 (nft)', ''])
      assert.equal(parseDeletion(line), undefined);
  });

  it('are found in our own transactions, with what is left', () => {
    const fatesOf = (commands: string) => [...tableFates(commands)].map(([table, { deletions, isLeft }]) => [table, deletions, isLeft]);
    assert.deepEqual(fatesOf(renderAbsenceRules(53)), [['inet kubets-dns', 1, true]]);
    assert.deepEqual(fatesOf(renderAbsenceRemoval()), [['inet kubets-dns', 1, false]]);
    assert.deepEqual(fatesOf(renderBaseTable([], 'IPv4')), [['ip kube-proxy', 0, true]]);
    assert.deepEqual(fatesOf(renderTableRemoval('IPv4') + renderBaseTable([], 'IPv4')), [['ip kube-proxy', 1, true]]);
    assert.deepEqual(fatesOf(renderPolicyTableRemoval()), [
      ['inet kubets-network-policies', 1, false],
      ['bridge kubets-network-policies', 1, false],
      ['ip kubets-network-policies', 1, false],
    ]);
    assert.deepEqual(fatesOf(masqueradeRules('b', ['10.0.0.0/24'], [])), [
      ['ip kubets-pods-b', 1, true],
      ['ip6 kubets-pods-b', 1, false],
    ]);
    assert.deepEqual(fatesOf('add rule ip a b accept\n# delete table ip a\nadd element ip a m { 1 : 2 }\n'), []);
  });
});

describe('lines of a program', () => {
  it('come whole, however they arrive, and no longer than they may be', () => {
    const lines: string[] = [];
    const write = createLineSplitter(5, (line) => lines.push(line));
    for (const chunk of ['a', 'b\nlong', 'er than that\n', '\nx', 'y', '\nrest']) write(chunk);
    assert.deepEqual(lines, ['ab', 'longe', '', 'xy']);
  });
});

describe('a watch over tables', () => {
  function watched(present: readonly string[]) {
    const clock = createManualClock();
    const state = { present: [...present], losses: 0, othersLosses: 0, lists: 0 };
    const program = Promise.withResolvers<FollowedProgram>();
    const nft: Pick<NFT, 'apply' | 'listTables'> = {
      apply: async () => {},
      async listTables() {
        state.lists++;
        return state.present;
      },
    };
    const watch = createTableWatch({
      nft: nft as NFT,
      follow: async (followed) => program.resolve(followed),
      clock,
      logger: silentLogger,
    });
    watch.onLost('inet t', () => state.losses++);
    watch.onLost('inet others', () => state.othersLosses++, { isOurs: false });
    void watch.run(new AbortController().signal);
    const write = () => watch.nft.apply('add table inet t\n');
    return { clock, state, watch, write, program: program.promise };
  }

  it('tells of one that somebody else has deleted, also where it was made anew', async () => {
    const { clock, state, program, write } = watched(['inet t']);
    await write();
    (await program).onLine('delete table inet t');
    (await program).onLine('delete table ip t');
    await clock.advance(1000);
    assert.equal(state.losses, 1);
  });

  it('says nothing of those that we replace, until one is missing', async () => {
    const { clock, state, program, watch } = watched(['inet t']);
    for (let times = 0; times < 10; times++) {
      await watch.nft.apply('add table inet t\ndelete table inet t\ntable inet t {\n}\n');
      (await program).onLine('delete table inet t');
      await clock.advance(300);
    }
    assert.equal(state.losses, 0);
    // Two events, the first reported late, the second not caused by this agent.
    await watch.nft.apply('add table inet t\ndelete table inet t\ntable inet t {\n}\n');
    await clock.advance(30_000);
    (await program).onLine('delete table inet t');
    await clock.advance(300);
    assert.equal(state.losses, 0);
    (await program).onLine('delete table inet t');
    await clock.advance(300);
    assert.equal(state.losses, 1);
  });

  it('says nothing of those that we have taken away, or have not made yet', async () => {
    const { clock, state, program, watch, write } = watched([]);
    (await program).onGap();
    await clock.advance(1000);
    assert.deepEqual([state.losses, state.lists], [0, 0]);
    await write();
    await watch.nft.apply('add table inet t\ndelete table inet t\n');
    (await program).onLine('delete table inet t');
    (await program).onGap();
    await clock.advance(5000);
    assert.equal(state.losses, 0);
  });

  it('tells of tables that others make as well only when it saw them go', async () => {
    const { clock, state, program } = watched([]);
    (await program).onGap();
    await clock.advance(1000);
    assert.equal(state.othersLosses, 0);
    (await program).onLine('delete table inet others');
    await clock.advance(1000);
    assert.equal(state.othersLosses, 1);
  });

  it('looks for what happened unseen, and lists tables once for many lines', async () => {
    const { clock, state, program, write } = watched([]);
    await write();
    (await program).onGap();
    for (let lines = 0; lines < 100; lines++) (await program).onGap();
    await clock.advance(1000);
    assert.deepEqual([state.losses, state.lists], [1, 1]);
  });

  it('does not fight with whoever deletes again and again', async () => {
    const { clock, state, program, write } = watched(['inet t']);
    await write();
    for (let seconds = 0; seconds < 300; seconds++) {
      (await program).onLine('delete table inet t');
      await clock.advance(1000);
    }
    assert.ok(state.losses > 5 && state.losses < 20, String(state.losses));
  });
});

describe('a watch over tables of the kernel', function () {
  this.timeout(60_000);
  const pool = createNamespacePool();
  let namespace: Namespace;
  before(async function () {
    if (!(await networkTestsArePossible())) return this.skip();
    namespace = await pool.start();
  });
  after(() => pool.close());

  it('has them written again at once after a flush, and never for our own writing', async () => {
    const abort = new AbortController();
    const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };
    const follow = (program: FollowedProgram, signal: AbortSignal) => {
      const args = ['-t', String(namespace.pid), '-n', program.command, ...program.args];
      return followProgram({ ...program, command: 'nsenter', args }, parts, signal);
    };
    const watch = createTableWatch({ nft: createNFT({ run: namespace.run }), follow, ...parts });
    const write = () => watch.nft.apply(renderAbsenceRules(53));
    let losses = 0;
    watch.onLost('inet kubets-dns', () => {
      losses++;
      void write();
    });
    await write();
    const running = watch.run(abort.signal);
    const tables = async () => (await createNFT({ run: namespace.run }).listTables()).join();
    try {
      await sleep(systemClock, 1000);
      for (let times = 0; times < 5; times++) await write();
      await sleep(systemClock, 1500);
      assert.equal(losses, 0);
      for (const flush of ['flush ruleset', 'delete table inet kubets-dns']) {
        const before: number = losses;
        await namespace.run('nft', [flush]);
        const deadlineMs = systemClock.monotonicMs() + 5000;
        while (losses === before || (await tables()) !== 'inet kubets-dns') {
          assert.ok(systemClock.monotonicMs() < deadlineMs, `not written again after ${flush}`);
          await sleep(systemClock, 20);
        }
        await sleep(systemClock, 2500);
        assert.equal(losses, before + 1);
      }
    } finally {
      abort.abort();
      await running;
    }
  });
});
