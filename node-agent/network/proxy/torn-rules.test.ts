import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { backendAddress, backendsPerService, serviceCount } from './testing/backends.ts';
import { changeService, createRules } from './testing/changing-rules.ts';
import { createTestNetwork, networkTestsArePossible, type TestNetwork } from './testing/test-network.ts';

/**
 * The time for which rules change under traffic. `KUBETS_LONG=1 mocha node-agent/network/proxy/torn-rules.test.ts` makes thousands of
 * changes.
 */
const durationMs = process.env['KUBETS_LONG'] === undefined ? 1500 : 120_000;

const killWithinMs = Math.max(900, durationMs / 40);

describe('rules that change all the time, by an agent that is killed all the time', function () {
  this.timeout(durationMs + 60_000);
  const children: ChildProcess[] = [];
  let network: TestNetwork;
  before(async function () {
    if (!(await networkTestsArePossible())) return this.skip();
    network = await createTestNetwork();
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await network?.close();
  });

  const start = (program: string, args: readonly string[], pid?: number): ChildProcess => {
    const file = fileURLToPath(new URL(`./testing/${program}`, import.meta.url));
    const [command, ...rest] = [...(pid === undefined ? [] : ['nsenter', '-t', String(pid), '-n']), process.execPath, file, ...args];
    const child = spawn(command ?? '', rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  };
  const lines = (child: ChildProcess) => {
    assert.ok(child.stdout);
    return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  };

  it('never lead to another Service, and are whole at the next start', async () => {
    const [backends] = network.pods;
    const all = Array.from({ length: serviceCount * backendsPerService }, (_, index) => backendAddress(0, index));
    await backends.run('sh', ['-ec', all.map((address) => `ip addr add ${address}/32 dev eth0`).join('\n')]);
    await lines(start('backends.ts', ['serve'], backends.pid)).next();
    await applyAll(network);
    const client = start('backends.ts', ['ask'], network.outside.pid);
    const told = lines(client);
    client.stdin?.write('\n');
    await told.next();
    const random = createSeededRandom(7);
    let [applied, failed, kills] = [0, '', 0];
    for (const endMs = performance.now() + durationMs; performance.now() < endMs || kills < 2; kills++) {
      const agent = start('changing-rules.ts', [String(network.node.pid), String(kills)]);
      const said = lines(agent);
      const ended = new Promise((resolve) => agent.once('close', resolve));
      const first = await said.next();
      if (first.value === 'applied') applied++;
      const killer = setTimeout(() => agent.kill('SIGKILL'), 20 + random.next() * killWithinMs);
      for (let line = await said.next(); line.done !== true; line = await said.next()) {
        if (line.value === 'applied') applied++;
        else failed = line.value;
      }
      await ended;
      clearTimeout(killer);
    }
    client.stdin?.write('\n');
    const answers = JSON.parse((await told.next()).value ?? '') as { right: number; wrong: number; refused: number };
    if (durationMs > 60_000) process.stdout.write(`      ${applied} changes, ${kills} kills, ${JSON.stringify(answers)}\n`);
    assert.equal(answers.wrong, 0);
    assert.ok(answers.right > 20 && applied >= kills, `${JSON.stringify(answers)}, ${applied} changes, ${kills} kills`);
    assert.equal(failed, '');
    await assertWhole();
  });

  /** The next agent adopts the table, and one more finds nothing to change in it. */
  async function assertWhole(): Promise<void> {
    const changed = await applyAll(network);
    assert.ok(changed > 0);
    assert.equal(await applyAll(network), 0);
  }

  /** Some rules, always the same. Answers how much there was to change. */
  async function applyAll({ node }: TestNetwork): Promise<number> {
    const rules = createRules(node.pid);
    const random = createSeededRandom(4711);
    for (let index = 0; index < serviceCount; index++) changeService(rules, index, random);
    const sync = await rules.sync();
    assert.equal(sync.error, undefined);
    return sync.changes;
  }
});
