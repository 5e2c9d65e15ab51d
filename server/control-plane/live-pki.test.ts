import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Logger, silentLogger } from '../../api/base/logger.ts';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { waitFor } from '../../api/client/wait-for.ts';
import { nodeClientCertificate } from '../pki/certificate-spec.ts';
import { ensureCertificate } from '../pki/ensure-cluster-pki.ts';
import { createLivePKI, type LivePKI } from './live-pki.ts';
import { createPKIFiles } from './pki-files.ts';

const dayMs = 86_400_000;
const within = { withinSeconds: 30, everyMs: 20, clock: systemClock, signal: new AbortController().signal };

describe('the keys and certificates of a running control plane', () => {
  const virtual = createManualClock(Date.UTC(2026, 5, 1));
  let jumpedMs = 0;
  /** The clock of the test, whose wall time may jump. */
  const clock = { ...virtual, nowMs: () => virtual.nowMs() + jumpedMs };
  const complaints: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    error: (message, fields) => void complaints.push(`${message} ${String(fields?.['error'])}`),
    with: () => logger,
  };
  const random = createSeededRandom(6);
  const stopping = new AbortController();
  let directory: string;
  let live: LivePKI;
  let running: Promise<void>;
  const files = () => createPKIFiles(directory);
  const read = async (name: string) => new X509Certificate((await files().readAll()).get(`${name}.crt`) ?? '');
  const isValid = async (name: string) => {
    const { validFromDate, validToDate } = await read(name);
    return validFromDate.getTime() <= clock.nowMs() && validToDate.getTime() > clock.nowMs() + 200 * dayMs;
  };
  before(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-live-pki-'));
    const names = { clusterDomain: 'cluster.local', serviceAddresses: ['10.96.0.1'], hostNames: ['one'], addresses: [] };
    const options = { files: files(), clock, random, logger, ...names };
    live = await createLivePKI(options);
    await ensureCertificate('node-one', nodeClientCertificate('one'), live.pki.get().clusterCA, options);
    running = live.run(stopping.signal);
  });
  after(async () => {
    stopping.abort();
    await running;
    rmSync(directory, { recursive: true, force: true });
  });
  const untilRenewed = (what: string, isRight: () => Promise<boolean>) =>
    waitFor(
      what,
      async () => {
        await virtual.advance(600_000);
        return await isRight();
      },
      within,
    );

  it('are renewed before they expire, those of nodes among them, and used at once', async () => {
    const [before, authority] = [live.pki.get(), (await files().readAll()).get('ca.crt')];
    jumpedMs = 340 * dayMs;
    await untilRenewed('certificates', async () => (await isValid('apiserver')) && (await isValid('node-one')));
    await waitFor('their use', async () => live.pki.get().server.certificatePEM !== before.server.certificatePEM, within);
    assert.equal((await files().readAll()).get('ca.crt'), authority);
  });

  it('are right again after a clock that was ahead for a while', async () => {
    jumpedMs = 700 * dayMs;
    await untilRenewed('certificates of the future', () => isValid('apiserver'));
    jumpedMs = 0;
    await untilRenewed('certificates of the present', async () => (await isValid('apiserver')) && (await isValid('node-one')));
  });

  it('stay as they are by a clock that is beyond the life of the authority', async () => {
    // Not while certificates of the test before are still being written.
    const before = await files().exclusively((held) => held.readAll());
    for (const days of [5000, -5000]) {
      jumpedMs = days * dayMs;
      complaints.length = 0;
      // The files that the test before has changed may be complained about first.
      const refusal = /could not be renewed .*the clock of this machine says/;
      await untilRenewed('the refusal', async () => complaints.some((complaint) => refusal.test(complaint)));
    }
    jumpedMs = 0;
    assert.deepEqual(await files().readAll(), before);
  });
});
