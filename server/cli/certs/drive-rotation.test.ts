import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../../api/base/logger.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { withUser } from '../../../api/client/with-user.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { formatNodeCertificates, nodeCertificatesAnnotation } from '../../../api/semantics/certificates/cluster-authorities.ts';
import { createPKIFiles } from '../../control-plane/pki-files.ts';
import { type ControlPlane, startControlPlane } from '../../control-plane/start-control-plane.ts';
import { authoritiesInRotation, findRotation } from '../../pki/rotate-authorities.ts';
import { type DataDir, type Instance, openDataDir } from '../data-dir/data-dir.ts';
import { formatKubeconfig } from '../data-dir/kubeconfig.ts';
import { advanceRotation, finishRotation, rollBackRotation, type RotationParts } from './drive-rotation.ts';

/** The commands of a rotation against a running control plane, interrupted at every step. */
describe('kubets certs rotate-ca', function () {
  this.timeout(180_000);
  let dataDir: DataDir;
  let controlPlane: ControlPlane;
  let instance: Instance;
  const start = { authorities: ['ca', 'front-proxy-ca'] as const };
  const parts = (change: Partial<RotationParts> = {}): RotationParts => ({
    ...{ dataDir, instance, files: createPKIFiles(dataDir.pki), progress: { done: () => {}, note: () => {} } },
    ...{ timeoutMs: 30_000, force: false },
    ...change,
  });
  const contents = () => createPKIFiles(dataDir.pki).readAll();
  const phase = async () => findRotation(await contents())?.phase;
  const admin = () => createClient(withUser(controlPlane.transport, { name: 'a', groups: ['system:masters', 'system:authenticated'] }));

  before(async () => {
    dataDir = openDataDir(mkdtempSync(path.join(os.tmpdir(), 'kubets-drive-')));
    controlPlane = await startControlPlane({
      ...{ storage: { kind: 'memory' }, storageDirectory: dataDir.storage, pkiDirectory: dataDir.pki },
      ...{ bindAddress: '127.0.0.1', port: 0, serviceCIDRs: ['10.96.0.0/12'], clusterCIDR: '10.244.0.0/16', nodeCIDRMaskSize: 24 },
      ...{ podNetwork: 'host-gw', clusterDomain: 'cluster.local', scheduler: false, logger: silentLogger },
    });
    const server = `https://127.0.0.1:${controlPlane.port}`;
    const { admin: pair, clusterCA } = controlPlane.pki.get();
    const kubeconfig = formatKubeconfig({ server, ca: clusterCA.certificatePEM, certificate: pair.certificatePEM, key: pair.keyPEM });
    writeFileSync(dataDir.adminKubeconfig, kubeconfig);
    instance = { pid: process.pid, server, kubeconfig: dataDir.adminKubeconfig };
  });
  after(async () => {
    await controlPlane?.stop();
    rmSync(dataDir.path, { recursive: true, force: true });
  });

  it('goes on where it was interrupted, at whatever step, and on a full disk changes nothing', async () => {
    for (const failing of [
      'write ca-next.key',
      'write the journal',
      'decide',
      'replace ca.crt',
      'end the journal',
      'write apiserver.crt',
    ]) {
      let isArmed = true;
      const onStep = (step: string) => {
        if (!isArmed || step !== failing) return;
        isArmed = false;
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      };
      const broken = parts({ files: createPKIFiles(dataDir.pki, { onStep }) });
      await assert.rejects(advanceRotation(broken, start), /no space left/, failing);
      await advanceRotation(parts(), start);
      assert.equal(await phase(), 'issuing', failing);
      await finishRotation(parts());
      assert.equal(await phase(), undefined, failing);
    }
  });

  it('takes no step that would lock a node out, and names it; --force goes on', async () => {
    await admin()(nodes).create({ metadata: { name: 'silent' } });
    await assert.rejects(
      advanceRotation(parts({ timeoutMs: 1000 }), start),
      /would be locked out:\n {2}node silent: it does not state which authorities it trusts/,
    );
    assert.equal(await phase(), 'trusting');
    await advanceRotation(parts({ timeoutMs: 1000, force: true }), start);
    assert.equal(await phase(), 'issuing');
    await assert.rejects(finishRotation(parts({ timeoutMs: 0 })), /node silent/);
    const { signing, other = '' } = authoritiesInRotation(await contents());
    const state = (used: string) => ({
      [nodeCertificatesAnnotation]: formatNodeCertificates({ trusted: [signing, other], client: used, serving: used }),
    });
    const key = { namespace: '', name: 'silent' };
    await admin()(nodes).patch(key, { type: 'merge', body: { metadata: { annotations: state(other) } } });
    await assert.rejects(
      finishRotation(parts({ timeoutMs: 0 })),
      /node silent: it asks the API server with a certificate of the old authority/,
    );
    await admin()(nodes).patch(key, { type: 'merge', body: { metadata: { annotations: state(signing) } } });
    await finishRotation(parts());
    await admin()(nodes).delete(key);
  });

  it('is taken back from each step', async () => {
    const before = await contents();
    await admin()(nodes).create({ metadata: { name: 'silent' } });
    await assert.rejects(advanceRotation(parts({ timeoutMs: 0 }), start), /locked out/);
    await rollBackRotation(parts());
    assert.deepEqual(await contents(), before);
    await admin()(nodes).delete({ namespace: '', name: 'silent' });
    await advanceRotation(parts(), start);
    await rollBackRotation(parts());
    await finishRotation(parts());
    assert.equal((await contents()).get('ca.crt'), before.get('ca.crt'));
  });

  it('needs a control plane that runs, but to finish or go back by force', async () => {
    const { instance: _gone, ...rest } = parts();
    await assert.rejects(advanceRotation({ ...rest, instance: undefined }, start), /no control plane runs/);
    await assert.rejects(finishRotation(parts()), /no rotation is under way/);
  });
});
