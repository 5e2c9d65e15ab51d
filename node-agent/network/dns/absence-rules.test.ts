import assert from 'node:assert/strict';
import { createTestNetwork, networkTestsArePossible, type TestNetwork } from '../proxy/testing/test-network.ts';
import { renderAbsenceRemoval, renderAbsenceRules } from './absence-rules.ts';

/** On a real kernel. */
describe('while nobody listens at the port of DNS', function () {
  this.timeout(60_000);
  let network: TestNetwork;
  const port = 10_053;
  const apply = (input: string) => network.node.run('nft', ['-f', '-'], { input });

  before(async function () {
    if (!(await networkTestsArePossible())) return this.skip();
    network = await createTestNetwork();
    await apply(renderAbsenceRules(port));
  });
  after(() => network?.close());

  it('queries are lost and not refused, until somebody does', async () => {
    const [pod] = network.pods;
    const ask = async (address: string) => [
      ...Object.keys(await pod.ask(address, port, { protocol: 'udp' })),
      ...Object.keys(await pod.ask(address, port, { timeoutMs: 300 })),
    ];
    const addresses = ['10.200.0.1', 'fd00:200::1'];
    for (const answers of await Promise.all(addresses.map(ask))) assert.deepEqual(answers, ['timeout', 'timeout']);
    for (const address of addresses) await network.node.serve('dns', port, address);
    assert.deepEqual(await ask('10.200.0.1'), ['dns 10.244.0.2', 'dns 10.244.0.2']);
    assert.deepEqual(await ask('fd00:200::1'), ['dns fd00:244::2', 'dns fd00:244::2']);
    // Other ports are refused as ever.
    assert.deepEqual(Object.keys(await pod.ask('10.200.0.1', port + 1)), ['ECONNREFUSED']);
    await apply(renderAbsenceRemoval());
    assert.equal(await network.node.run('nft', ['list', 'tables']), '');
  });
});
