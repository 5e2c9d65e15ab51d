import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { sleep } from '../../../api/base/clock.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import { parseResourceMetrics } from './parse-resource-metrics.ts';
import { createUsageSampler } from './usage-sampler.ts';
import { nodeUsage, podUsage } from './usage-window.ts';

interface Container {
  readonly cpu: number;
  readonly started?: number;
}

/** A kubelet's metrics at that second. */
function scrapeText(second: number, nodeCPU: number, containers: Readonly<Record<string, Container>> = {}): string {
  const ms = second * 1000;
  const lines = [`node_cpu_usage_seconds_total ${nodeCPU} ${ms}`, `node_memory_working_set_bytes 2048 ${ms}`];
  for (const [name, { cpu, started = 0 }] of Object.entries(containers)) {
    const labels = `{container="${name}",namespace="ns",pod="p"}`;
    lines.push(`container_cpu_usage_seconds_total${labels} ${cpu} ${ms}`);
    lines.push(`container_memory_working_set_bytes${labels} 1.048576e+06 ${ms}`);
    lines.push(`container_start_time_seconds${labels} ${started}`);
  }
  return `# HELP x y\n${lines.join('\n')}\nresource_scrape_error 0\n`;
}

const windowOf = (before: string, after: string) => ({ before: parseResourceMetrics(before), after: parseResourceMetrics(after) });

describe('usage of nodes and Pods', () => {
  it('of a node is the processor time between two looks and the memory at the second', () => {
    const usage = nodeUsage(windowOf(scrapeText(100, 50), scrapeText(110, 52.5)));
    assert.deepEqual(usage, { endMs: 110_000, windowMs: 10_000, usage: { cpu: '250m', memory: '2Ki' } });
  });

  const pods: [string, Record<string, Container>, Record<string, Container>, string | undefined][] = [
    ['two containers', { a: { cpu: 1 }, b: { cpu: 0 } }, { a: { cpu: 2 }, b: { cpu: 0 } }, 'a=100m b=0'],
    ['one that is new is not known yet', { a: { cpu: 1 } }, { a: { cpu: 2 }, b: { cpu: 1, started: 105 } }, undefined],
    ['one that runs for ten seconds has its own window', {}, { b: { cpu: 1, started: 100 } }, 'b=100m'],
    ['one that was restarted is not compared with its predecessor', { a: { cpu: 1 } }, { a: { cpu: 9, started: 109 } }, undefined],
    ['time that goes back is not believed', { a: { cpu: 3 } }, { a: { cpu: 2 } }, undefined],
    ['no Pod', {}, {}, undefined],
  ];
  for (const [name, before, after, expected] of pods) {
    it(name, () => {
      const usages = podUsage(windowOf(scrapeText(100, 0, before), scrapeText(110, 0, after)), 'ns/p');
      const shown = usages && [...usages].map(([container, { usage }]) => `${container}=${usage['cpu']}`).join(' ');
      assert.equal(shown, expected);
    });
  }

  it('reads nothing out of what it does not understand', () => {
    const { node, pods: found } = parseResourceMetrics(
      'garbage\nnode_cpu_usage_seconds_total NaN 5\ncontainer_cpu_usage_seconds_total 5 5\n',
    );
    assert.deepEqual([node, found.size], [undefined, 0]);
  });
});

describe('usage sampler', () => {
  const node: Node = { metadata: { name: 'n1' }, status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] } };
  const lost: Node = { metadata: { name: 'n2' }, status: { addresses: [{ type: 'InternalIP', address: '10.0.0.2' }] } };

  it('looks twice at first, then every 15 seconds for as long as somebody asks', async () => {
    const clock = createManualClock();
    let looks = 0;
    const sampler = createUsageSampler({
      clock,
      logger: silentLogger,
      nodes: async () => [node, lost],
      dialer: {
        async send({ host }, { path, signal }) {
          signal.throwIfAborted();
          if (host === '10.0.0.2') throw new Error('no route to host');
          assert.equal(path, '/metrics/resource');
          looks++;
          const bytes = new TextEncoder().encode(scrapeText(100 + looks, looks / 2));
          return { status: 200, headers: {}, body: { kind: 'bytes', bytes } };
        },
      },
    });
    const abort = new AbortController();
    sampler.start(abort.signal);
    const pass = (ms: number) => clock.advance(ms);
    const first = sampler.windows();
    await pass(1500);
    const windows = await first;
    assert.deepEqual([...windows.keys()], ['n1']);
    const [window] = windows.values();
    assert.equal(window && nodeUsage(window)?.usage['cpu'], '500m');
    assert.equal(looks, 2);
    await pass(15_000);
    assert.equal(looks, 3);
    await pass(1000);
    await sampler.windows();
    assert.equal(looks, 3, 'what was seen lately is answered at once');
    for (let turn = 0; turn < 40; turn++) await pass(15_000);
    const afterwards = looks;
    await pass(15_000);
    assert.equal(looks, afterwards, 'nobody asks any more');
    assert.ok(afterwards <= 3 + 21, `${afterwards} looks`);
    abort.abort();
  });

  it('shows a node that takes half a minute to answer, holds up no other for it, and says so once', async () => {
    const clock = createManualClock();
    const warnings: string[] = [];
    const looks = new Map<string, number>();
    const sampler = createUsageSampler({
      clock,
      logger: { ...silentLogger, warn: (message, fields) => warnings.push(`${message} ${String(fields?.['node'])}`) },
      nodes: async () => [node, lost],
      dialer: {
        async send({ host }, { signal }) {
          const count = (looks.get(host) ?? 0) + 1;
          looks.set(host, count);
          if (host === '10.0.0.2') await sleep(clock, 30_000, signal);
          const bytes = new TextEncoder().encode(scrapeText(100 + count, count / 2));
          return { status: 200, headers: {}, body: { kind: 'bytes', bytes } };
        },
      },
    });
    const abort = new AbortController();
    sampler.start(abort.signal);
    const first = sampler.windows();
    await clock.advance(10_000);
    await clock.advance(1500);
    assert.deepEqual([...(await first).keys()], ['n1']);
    for (let turn = 0; turn < 8; turn++) {
      await clock.advance(15_000);
      assert.ok((await sampler.windows()).has('n1'));
    }
    assert.deepEqual([...(await sampler.windows()).keys()].sort(), ['n1', 'n2']);
    assert.deepEqual(warnings, ['a node takes long to tell its usage: what is shown of it is older n2']);
    abort.abort();
  });
});
