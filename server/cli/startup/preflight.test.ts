import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { systemClock } from '../../../api/base/system-clock.ts';
import { toDate } from '../../../api/meta/time.ts';
import { makeSelfSignedCertificate } from '../../../node-agent/kubelet/server/self-signed-certificate.ts';
import type { Finding } from '../../../node-agent/preflight/check.ts';
import { findServerAheadMs, formatFindings, ignoreErrors, planOf, type PreflightFlags } from './preflight.ts';

const flags: PreflightFlags = {
  dataDir: './k',
  nodeName: 'n',
  podNetwork: 'host-gw',
  clusterCidr: '10.244.0.0/16,fd00:244::/48',
  kubeletPort: 10_250,
  port: 6443,
  ignorePreflightErrors: [],
};

const findings: readonly Finding[] = [
  { name: 'Mem', level: 'error', message: 'too little', remedy: 'more' },
  { name: 'Swap', level: 'error', message: 'on', remedy: 'off' },
  { name: 'Clock', level: 'ok', message: 'right' },
];
const levels = (ignored: readonly string[]) => ignoreErrors(findings, ignored).map(({ level }) => level);

describe('the clock of an API server', () => {
  const hourMs = 3_600_000;

  it('is read from the date of its answer, however long that is', async () => {
    const { certificate: cert, key } = await makeSelfSignedCertificate('server', ['127.0.0.1'], systemClock);
    const server = createServer({ cert, key }, (_request, response) => {
      response.writeHead(401, { Date: toDate(systemClock.nowMs() + hourMs).toUTCString() });
      response.write('without end');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const aheadMs = (await findServerAheadMs(`https://127.0.0.1:${port}`)) ?? 0;
      assert.ok(Math.abs(aheadMs - hourMs) < 30_000, String(aheadMs));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('is not known where nobody answers', async () => {
    assert.equal(await findServerAheadMs('https://127.0.0.1:1'), undefined);
    assert.equal(await findServerAheadMs('no address'), undefined);
  });
});

describe('preflight of the command', () => {
  it('makes errors of the checks that are named warnings, in any case of letters', () => {
    assert.deepEqual(levels([]), ['error', 'error', 'ok']);
    assert.deepEqual(levels(['swap']), ['error', 'warning', 'ok']);
    assert.deepEqual(levels(['ALL']), ['warning', 'warning', 'ok']);
    assert.throws(() => levels(['all', 'Swap']), /don't specify individual checks if 'all' is used/);
  });

  it('plans the ports of what is to run', () => {
    const numbers = (role: 'up' | 'agent' | 'local-nodes') => [...new Set(planOf(flags, role).ports.map(({ port }) => port))];
    assert.deepEqual(numbers('up'), [6443, 10_250, 10_053, 10_256, 10_249]);
    assert.deepEqual(numbers('agent'), [10_250, 10_053, 10_256, 10_249]);
    assert.deepEqual(numbers('local-nodes'), [6443]);
    assert.deepEqual(planOf({ ...flags, port: 0 }, 'local-nodes').ports, []);
  });

  it('takes flags of the kubelet into account', () => {
    const { failSwapOn, resolvConf } = planOf({ ...flags, kubeletArg: ['fail-swap-on=true', 'resolv-conf=/etc/r=1'] }, 'up');
    assert.deepEqual([failSwapOn, resolvConf], [true, '/etc/r=1']);
  });

  it('writes a line a finding, its remedies below, and no control characters of others', () => {
    const stream = Object.assign(new PassThrough(), { isTTY: false }) as unknown as WriteStream;
    const text = formatFindings(
      [
        { name: 'Port-1', level: 'error', message: 'in use by \u001b[31mx\u0007\ny', remedy: 'stop it\nor not' },
        { name: 'Mem', level: 'ok', message: 'enough' },
      ],
      stream,
    );
    assert.equal(text, ['✗ Port-1  in use by x y', '          → stop it', '          → or not', '✓ Mem     enough', ''].join('\n'));
  });
});
