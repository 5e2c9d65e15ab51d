import assert from 'node:assert/strict';
import { silentLogger } from '../../api/base/logger.ts';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { createClient } from '../../api/client/create-client.ts';
import { ObjectServer } from '../../api/client/testing/object-server.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import { formatNodeCertificates, nodeCertificatesAnnotation } from '../../api/semantics/certificates/cluster-authorities.ts';
import { ensureClusterPKI } from '../pki/ensure-cluster-pki.ts';
import { authoritiesInRotation, findRotation, planIssue, planStart } from '../pki/rotate-authorities.ts';
import { findBlockers } from '../pki/rotation-blockers.ts';
import { type MemoryPKIFiles, memoryPKIFiles } from '../pki/testing/memory-pki-files.ts';
import { dropIfDue } from './drop-in-time.ts';

const hourMs = 3_600_000;

describe('the old authority of a rotation', () => {
  const clock = createManualClock(Date.UTC(2026, 5, 1));
  const random = createSeededRandom(4);
  let files: MemoryPKIFiles;
  let server: ObjectServer;
  const client = () => createClient(server.transport);
  const drop = () => dropIfDue({ files, client: client(), clock, logger: silentLogger });
  const state = (trusted: string[], used: string) => ({
    [nodeCertificatesAnnotation]: formatNodeCertificates({ trusted, client: used, serving: used }),
  });
  const blockers = async () =>
    findBlockers((await client()(nodes).list()).items, await files.readAll()).map(({ node, reason }) => `${node}: ${reason}`);

  beforeEach(async () => {
    files = memoryPKIFiles();
    server = new ObjectServer();
    const names = { clusterDomain: 'cluster.local', serviceAddresses: ['10.96.0.1'], hostNames: ['one'], addresses: [] };
    await ensureClusterPKI({ files, clock, random, logger: silentLogger, ...names });
    await files.commit(await planStart(await files.readAll(), { authorities: ['ca'], dropAfterMs: hourMs }, { clock, random }));
  });

  it('is dropped at its time, when no node uses it any more', async () => {
    const { signing: old, other: next = '' } = authoritiesInRotation(await files.readAll());
    await client()(nodes).create({ metadata: { name: 'a', annotations: state([old], old) } });
    assert.deepEqual(await blockers(), ['a: it does not trust the new authority yet; it is not ready']);
    await client()(nodes).patch(
      { namespace: '', name: 'a' },
      { type: 'merge', body: { metadata: { annotations: state([old, next], old) } } },
    );
    assert.deepEqual(await blockers(), []);
    await clock.advance(2 * hourMs);
    assert.equal(await drop(), false, 'nothing was issued yet');
    await files.commit(await planIssue(await files.readAll(), { clock, random }));
    assert.deepEqual(await blockers(), ['a: it asks the API server with a certificate of the old authority; it is not ready']);
    assert.equal(await drop(), false);
    await client()(nodes).patch(
      { namespace: '', name: 'a' },
      { type: 'merge', body: { metadata: { annotations: state([old, next], next) } } },
    );
    assert.equal(await drop(), true);
    assert.equal(findRotation(await files.readAll()), undefined);
  });

  it('is not dropped while a node says nothing, nor before its time', async () => {
    await files.commit(await planIssue(await files.readAll(), { clock, random }));
    assert.equal(await drop(), false, 'before its time');
    await clock.advance(2 * hourMs);
    await client()(nodes).create({ metadata: { name: 'foreign' } });
    assert.equal(await drop(), false);
    assert.deepEqual(await blockers(), ['foreign: it does not state which authorities it trusts; it is not ready']);
    await client()(nodes).delete({ namespace: '', name: 'foreign' });
    assert.equal(await drop(), true);
  });
});
