import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { pid } from 'node:process';
import { systemClock } from '../../../api/base/system-clock.ts';
import { parseKernelAddress } from './socket-facts.ts';
import { type SurveyRequest, surveyMachine } from './survey-machine.ts';

const request: SurveyRequest = {
  dataDirectory: '/var/lib/no/such/folder/of/kubets',
  ports: [],
  kernelParts: [{ module: 'no_such_module', option: 'CONFIG_NO_SUCH_OPTION' }],
  isThorough: true,
  families: ['IPv4', 'IPv6'],
  nftProbe: '',
  cniPluginDirectories: ['/no/such/folder', '/proc/sys'],
};

const survey = (change: Partial<SurveyRequest> = {}) => surveyMachine({ ...request, ...change }, { clock: systemClock });

describe('survey of the machine', function () {
  this.timeout(60_000);

  it('finds this machine', async () => {
    const machine = await survey();
    assert.ok(machine.kernel.namespaces.includes('net'));
    assert.ok(machine.kernel.fileSystems.includes('proc'));
    assert.ok(machine.memoryBytes > 2 ** 26 && machine.cpus > 0 && machine.openFiles > 0);
    assert.ok(machine.mounts.some(({ point }) => point === '/proc'));
    assert.equal(machine.dataDirectory.path, request.dataDirectory);
    assert.ok(machine.dataDirectory.capacityBytes > machine.dataDirectory.availableBytes);
    assert.deepEqual(Object.keys(machine.cniPlugins), ['/proc/sys']);
    assert.equal(machine.hasRuntimeSocket, false);
  });

  it('finds who listens on the ports that are asked for', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const { sockets } = await survey({ ports: [port] });
      const [found] = sockets.filter((socket) => socket.port === port);
      assert.equal(found?.address, '127.0.0.1');
      assert.equal(found?.owner?.pid, pid);
      assert.match(found?.owner?.command ?? '', /mocha|node/);
    } finally {
      server.close();
    }
  });

  it('asks nft and the kernel, and changes nothing', async function () {
    const { programs, effectiveUID } = await survey();
    if (programs['nft']?.path === undefined || effectiveUID !== 0) return this.skip();
    const table = 'add table ip kubets-survey-test\n';
    assert.equal((await survey({ nftProbe: `${table}add chain ip kubets-survey-test c\n` })).filter.takesRules, 'yes');
    assert.match(
      (await survey({ nftProbe: `${table}add rule ip kubets-survey-test no-such-chain accept\n` })).filter.problem,
      /No such file/,
    );
    const { filter } = await survey();
    assert.ok(!filter.otherChains.some((chain) => chain.includes('kubets-survey-test')));
  });
});

describe('addresses of sockets as the kernel tells them', () => {
  const cases = [
    ['0100007F', 4, '127.0.0.1'],
    ['00000000', 4, '0.0.0.0'],
    ['00000000000000000000000000000000', 6, '::'],
    ['00000000000000000000000001000000', 6, '::1'],
    ['B80D0120000000000000000001000000', 6, '2001:db8::1'],
  ] as const;
  for (const [hex, version, expected] of cases) it(expected, () => assert.equal(parseKernelAddress(hex, version), expected));
});
