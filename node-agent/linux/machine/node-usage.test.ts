import assert from 'node:assert/strict';
import { readCgroupHierarchies } from '../cgroups/cgroups.ts';
import { createUsageReader, memoryOf, parseCPU, parseInterfaces, parseMemory } from './node-usage.ts';

describe('node usage', () => {
  it('counts all processor time but idle and waiting', () => {
    const stat = 'cpu  100 10 50 9000 700 3 2 5 40 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n';
    assert.equal(parseCPU(stat), (100 + 10 + 50 + 3 + 2 + 5) * 10_000_000);
  });

  it('takes pages of files that nobody used lately out of the working set', () => {
    const meminfo = [
      'MemTotal:       1000 kB',
      'MemFree:         300 kB',
      'Inactive:        250 kB',
      'Inactive(file):  200 kB',
      'Buffers:          20 kB',
      'Cached:          500 kB',
      'SwapCached:       30 kB',
      'Slab:             80 kB',
      'AnonPages:       150 kB',
      'SwapTotal:        80 kB',
      'SwapFree:         60 kB',
    ].join('\n');
    const { memory, swap } = parseMemory(meminfo, 'pgfault 12\npgmajfault 3\n');
    assert.deepEqual(memory, {
      capacityBytes: 1000 * 1024,
      usageBytes: 700 * 1024,
      workingSetBytes: 500 * 1024,
      availableBytes: 500 * 1024,
      rssBytes: 150 * 1024,
      pageFaults: 12,
      majorPageFaults: 3,
    });
    assert.deepEqual(swap, { usageBytes: 20 * 1024, availableBytes: 60 * 1024 });
  });

  it('reads memory of cgroups of both versions', () => {
    const legacy = 'inactive_file 1\ntotal_inactive_file 40\nrss 2\ntotal_rss 30\ntotal_pgfault 7\ntotal_pgmajfault 1\n';
    const names = { inactive: 'total_inactive_file', rss: 'total_rss', prefix: 'total_' };
    const expected = { usageBytes: 100, workingSetBytes: 60, rssBytes: 30, pageFaults: 7, majorPageFaults: 1 };
    assert.deepEqual(memoryOf(100, legacy, names), expected);
    const unified = 'anon 30\nfile 50\ninactive_file 40\npgfault 7\npgmajfault 1\n';
    assert.deepEqual(memoryOf(100, unified, { inactive: 'inactive_file', rss: 'anon', prefix: '' }), expected);
    assert.equal(memoryOf(10, unified, { inactive: 'inactive_file', rss: 'anon', prefix: '' }).workingSetBytes, 0);
  });

  it('remembers how much swap there was', async () => {
    const usage = createUsageReader(await readCgroupHierarchies());
    assert.equal(usage.lastSwapBytes(), undefined);
    const { swap } = await usage.node();
    assert.equal(usage.lastSwapBytes(), swap.usageBytes + swap.availableBytes);
  });

  it('leaves out interfaces of Pods and bridges', () => {
    const devices = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
      '    lo:  100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0',
      '  eth0: 1000 10 2 0 0 0 0 0 2000 20 3 0 0 0 0 0',
      'veth12: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0',
      '  cni0: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0',
    ].join('\n');
    assert.deepEqual(parseInterfaces(devices), [{ name: 'eth0', rxBytes: 1000, rxErrors: 2, txBytes: 2000, txErrors: 3 }]);
  });
});
