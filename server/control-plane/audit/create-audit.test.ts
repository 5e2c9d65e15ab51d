import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import type { AuditEvent } from '../../apiserver/audit/audit-event.ts';
import { openAuditLogFile } from './audit-log-file.ts';
import { type AuditFlags, createAudit } from './create-audit.ts';

const event = (auditID: string): AuditEvent => ({
  level: 'Metadata',
  ...{ auditID, requestURI: '/', verb: 'get', sourceIPs: [], userAgent: '', receivedMs: 0, annotations: {} },
  user: { name: 'jane', groups: [] },
});
/** The defaults of kube-apiserver's flags. */
const limits = {
  ...{ auditLogBatchBufferSize: 10_000, auditLogBatchMaxSize: 1, auditLogBatchMaxWait: 0, auditLogBatchThrottleEnable: false },
  ...{ auditLogBatchThrottleBurst: 0, auditLogBatchThrottleQps: 0, auditWebhookBatchBufferSize: 10_000, auditWebhookBatchMaxSize: 400 },
  ...{ auditWebhookBatchMaxWait: 30_000, auditWebhookBatchThrottleEnable: true, auditWebhookBatchThrottleBurst: 15 },
  ...{ auditWebhookBatchThrottleQps: 10, auditWebhookInitialBackoff: 10_000, auditLogTruncateEnabled: false },
  ...{ auditLogTruncateMaxBatchSize: 10_485_760, auditLogTruncateMaxEventSize: 102_400, auditWebhookTruncateEnabled: false },
  ...{ auditWebhookTruncateMaxBatchSize: 10_485_760, auditWebhookTruncateMaxEventSize: 102_400 },
};
const within = { withinSeconds: 10, everyMs: 10, clock: systemClock, signal: new AbortController().signal };

describe('audit backends', () => {
  let directory: string;
  let flags: AuditFlags;
  const dependencies = { clock: systemClock, random: systemRandom, logger: silentLogger, print: () => {} };
  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'kubets-audit-'));
    const auditPolicyFile = path.join(directory, 'policy.yaml');
    await writeFile(auditPolicyFile, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n');
    flags = {
      ...{
        auditPolicyFile,
        auditLogFormat: 'json',
        auditLogMode: 'blocking',
        auditLogMaxsize: 100,
        auditLogMaxage: 0,
        auditLogMaxbackup: 0,
      },
      auditWebhookMode: 'batch',
      ...limits,
    };
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('append to a file that nobody else reads, and have written what they say they have', async () => {
    const auditLogPath = path.join(directory, 'logs/audit.log');
    const audit = await createAudit({ ...flags, auditLogPath }, dependencies);
    await Promise.all(Array.from({ length: 100 }, (_, index) => audit?.backend.record(event(String(index)), 'ResponseComplete', 1)));
    const lines = (await readFile(auditLogPath, 'utf8')).trim().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as AuditEvent).auditID),
      Array.from({ length: 100 }, (_, index) => String(index)),
    );
    assert.equal((await stat(auditLogPath)).mode & 0o777, 0o600);
    await audit?.backend.close();
  });
  it('begin a new file when one is full, compress old ones, and keep so many', async () => {
    const file = path.join(directory, 'audit.log');
    const clock = createManualClock();
    const log = await openAuditLogFile(file, { maxBytes: 100, maxAgeDays: 0, maxBackups: 2, compress: true }, clock);
    for (let count = 0; count < 5; count++) {
      await log.append(String(count).repeat(80));
      await clock.advance(1000);
    }
    await log.close();
    const names = (await readdir(directory)).filter((name) => name.startsWith('audit')).sort();
    assert.equal(names.length, 3, names.join());
    assert.match(names[0] ?? '', /^audit-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log\.gz$/);
    assert.equal(gunzipSync(await readFile(path.join(directory, names[1] ?? ''))).toString(), `${'3'.repeat(80)}\n`);
    assert.equal(await readFile(file, 'utf8'), `${'4'.repeat(80)}\n`);
  });
  it('begin a new line after one that was cut off', async () => {
    const file = path.join(directory, 'torn.log');
    await writeFile(file, '{"auditID":"to');
    const log = await openAuditLogFile(file, { maxBytes: 1000, maxAgeDays: 0, maxBackups: 0, compress: false }, createManualClock());
    await log.append('a');
    await log.append('b');
    await log.close();
    assert.equal(await readFile(file, 'utf8'), '{"auditID":"to\na\nb\n');
  });
  it('are written in order by another thread too, after a write that was slow', async () => {
    const file = path.join(directory, 'slow.log');
    let nowMs = 0;
    // Every look at the clock is 4 ms later: the first write takes less than counts as slow, those of the second clock more.
    for (const stepMs of [4, 8]) {
      const clock = { ...createManualClock(), monotonicMs: () => (nowMs += stepMs) };
      const log = await openAuditLogFile(file, { maxBytes: 1_000_000, maxAgeDays: 0, maxBackups: 0, compress: false }, clock);
      for (let count = 0; count < 20; count++) await log.append(`${stepMs}: ${count}`);
      await log.close();
    }
    const expected = [4, 8].flatMap((stepMs) => Array.from({ length: 20 }, (_, count) => `${stepMs}: ${count}`));
    assert.deepEqual((await readFile(file, 'utf8')).trim().split('\n'), expected);
  });
  it('refuse a policy that is wrong, with the file and what is wrong with it', async () => {
    await writeFile(flags.auditPolicyFile ?? '', 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: All}]\n');
    await assert.rejects(
      createAudit({ ...flags, auditLogPath: '-' }, dependencies),
      /--audit-policy-file .*policy\.yaml: rules\[0\]\.level: Unsupported value: "All"/,
    );
  });

  it('fail requests with blocking-strict when the file cannot be written, and only log it else', async () => {
    const full = '/dev/full';
    for (const [auditLogMode, fails] of [
      ['blocking-strict', true],
      ['blocking', false],
    ] as const) {
      const audit = await createAudit({ ...flags, auditLogPath: full, auditLogMode }, dependencies);
      const stored = audit?.backend.record(event('x'), 'RequestReceived', 1);
      await (fails ? assert.rejects(async () => await stored, /ENOSPC/) : stored);
      await audit?.backend.record(event('x'), 'ResponseComplete', 1);
      await audit?.backend.close();
    }
  });

  it('are written before an answer begins; only the answer waits', async () => {
    const auditLogPath = path.join(directory, 'ordered.log');
    const audit = await createAudit({ ...flags, auditLogPath }, dependencies);
    assert.equal(audit?.backend.record(event('x'), 'RequestReceived', 1), undefined);
    await audit?.backend.record(event('x'), 'ResponseComplete', 1);
    const lines = (await readFile(auditLogPath, 'utf8')).trim().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { readonly stage: string }).stage),
      ['RequestReceived', 'ResponseComplete'],
    );
    await audit?.backend.close();
  });

  it('come in batches in the format that was asked for', async () => {
    const file = path.join(directory, 'batched.log');
    const audit = await createAudit({ ...flags, auditLogPath: file, auditLogMode: 'batch', auditLogFormat: 'legacy' }, dependencies);
    await audit?.backend.record(event('x'), 'ResponseComplete', 1);
    await audit?.backend.close();
    assert.match(await readFile(file, 'utf8'), /^\S+ AUDIT: id="x" /);
  });

  it('leave out the objects of events that are too large, and events that still are', async () => {
    const auditLogPath = path.join(directory, 'short.log');
    const sizes = { auditLogTruncateEnabled: true, auditLogTruncateMaxEventSize: 1000, auditLogTruncateMaxBatchSize: 2000 };
    const audit = await createAudit({ ...flags, ...sizes, auditLogPath }, dependencies);
    const large = { level: 'Request', requestObject: JSON.stringify('x'.repeat(5000)) } as const;
    await audit?.backend.record({ ...event('a'), ...large }, 'ResponseComplete', 1);
    await audit?.backend.record({ ...event('b'), requestURI: `/${'x'.repeat(5000)}` }, 'ResponseComplete', 1);
    await audit?.backend.record(event('c'), 'ResponseComplete', 1);
    await audit?.backend.close();
    const lines = (await readFile(auditLogPath, 'utf8')).trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as AuditEvent);
    assert.deepEqual(
      events.map(({ auditID, annotations }) => [auditID, annotations]),
      [
        ['a', { 'audit.k8s.io/truncated': 'true' }],
        ['c', undefined],
      ],
    );
  });
  const wrong: [limit: Partial<AuditFlags>, message: RegExp][] = [
    [{ auditLogTruncateEnabled: true, auditLogTruncateMaxEventSize: 20_000_000 }, /max event size must not be greater than max batch size/],
    [{ auditLogTruncateEnabled: true, auditLogTruncateMaxEventSize: 0 }, /max event size, must be a positive number/],
    [{ auditLogMode: 'batch', auditLogBatchBufferSize: 0 }, /buffer size, must be a positive number/],
    [{ auditLogMode: 'batch', auditLogBatchMaxSize: Number.NaN }, /max batch size, must be a positive number/],
    [{ auditLogMode: 'batch', auditLogBatchThrottleEnable: true }, /throttle QPS, must be a positive number/],
  ];
  for (const [limit, message] of wrong)
    it(`refuse ${JSON.stringify(limit)}`, () =>
      assert.rejects(createAudit({ ...flags, ...limit, auditLogPath: path.join(directory, 'x.log') }, dependencies), message));

  describe('of a webhook', () => {
    let server: Server;
    let received: string[][];
    let answer: number;
    beforeEach(async () => {
      [received, answer] = [[], 200];
      server = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const { kind, apiVersion, items } = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown> & {
            items: AuditEvent[];
          };
          assert.deepEqual([kind, apiVersion, request.url, request.method], ['EventList', 'audit.k8s.io/v1', '/audit', 'POST']);
          received.push(items.map(({ auditID }) => auditID));
          response.writeHead(answer).end();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const auditWebhookConfigFile = path.join(directory, 'webhook.kubeconfig');
      await writeFile(
        auditWebhookConfigFile,
        `clusters: [{name: a, cluster: {server: 'http://127.0.0.1:${port}/audit'}}]\ncontexts: [{name: a, context: {cluster: a, user: ''}}]\n`,
      );
      await chmod(auditWebhookConfigFile, 0o600);
      flags = { ...flags, auditWebhookConfigFile };
    });
    afterEach(() => new Promise((resolve) => server.close(resolve)));

    it('post events in batches, and the rest at the end', async () => {
      const audit = await createAudit(flags, dependencies);
      for (let count = 0; count < 1000; count++) await audit?.backend.record(event(String(count)), 'ResponseComplete', 1);
      await waitFor('two batches', async () => received.length >= 2, within);
      await audit?.backend.close();
      assert.deepEqual(
        received.map(({ length }) => length),
        [400, 400, 200],
      );
      assert.deepEqual(
        received.flat(),
        Array.from({ length: 1000 }, (_, index) => String(index)),
      );
    });
    it('post no batches that are larger than they may be', async () => {
      const sizes = { auditWebhookTruncateEnabled: true, auditWebhookTruncateMaxEventSize: 1000, auditWebhookTruncateMaxBatchSize: 1000 };
      const audit = await createAudit({ ...flags, ...sizes }, dependencies);
      for (let count = 0; count < 6; count++)
        await audit?.backend.record({ ...event(String(count)), requestURI: `/${'x'.repeat(200)}` }, 'ResponseComplete', 1);
      await audit?.backend.close();
      assert.deepEqual(received, [
        ['0', '1'],
        ['2', '3'],
        ['4', '5'],
      ]);
    });
    it('wait in bounded memory while nobody takes them', async () => {
      const audit = await createAudit(flags, dependencies);
      const large = JSON.stringify('x'.repeat(1024 * 1024));
      for (let count = 0; count < 100; count++)
        await audit?.backend.record({ ...event(String(count)), requestObject: large }, 'ResponseComplete', 1);
      await audit?.backend.close();
      assert.equal(received.flat().length, 63);
    });
    it('wait for each event with blocking, and go on when it is refused', async () => {
      const audit = await createAudit({ ...flags, auditWebhookMode: 'blocking' }, dependencies);
      await audit?.backend.record(event('a'), 'ResponseComplete', 1);
      answer = 500;
      await audit?.backend.record(event('b'), 'ResponseComplete', 1);
      assert.deepEqual(received, [['a'], ['b']]);
      await audit?.backend.close();
    });
  });
});
