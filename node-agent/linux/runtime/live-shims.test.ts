import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import { silentLogger, type Logger } from '../../../api/base/logger.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { type CRIClient, createCRIClient } from '../../cri/cri-client.ts';
import type { ContainerConfig, SandboxConfig } from '../../cri/messages.ts';
import { keepOrphansAway } from '../../cri/remove-orphans.ts';
import { cgroupNames } from '../cgroups/cgroup-names.ts';
import { createCgroups } from '../cgroups/cgroups.ts';
import { cleanNode } from './clean-node.ts';
import { containerdSocket, createContainerd } from './containerd.ts';
import type { ContainerdPlan } from './containerd-config.ts';
import { hasContainerdRecord } from './containerd-records.ts';
import { createImageArchives } from './image-archives.ts';
import { readMachineFacts } from '../machine/machine.ts';
import { pauseImageName, pauseProgram } from './pause-image.ts';
import { findProcesses, processIsAlive } from '../processes/processes.ts';
import { runProgram } from '../processes/run-program.ts';
import { parseShim, sandboxShims, shimsOf } from './shims.ts';

const needed = ['/usr/bin/containerd', '/usr/sbin/runc', '/usr/bin/ctr', pauseProgram];
const cgroupRoot = '/kubets-test-shims/kubepods';
const rounds = Number(process.env['KUBETS_SHIM_ROUNDS'] ?? 6);

function sandboxConfig(root: string, name: string): SandboxConfig {
  return {
    metadata: { name, uid: name, namespace: 'test', attempt: 0 },
    hostname: '',
    log_directory: `${root}/logs`,
    port_mappings: [],
    labels: { 'io.kubernetes.pod.uid': name },
    annotations: {},
    linux: {
      cgroup_parent: `${cgroupRoot}/pod${name}`,
      sysctls: {},
      security_context: {
        namespace_options: { network: 'NODE', pid: 'CONTAINER', ipc: 'POD' },
        privileged: false,
        seccomp: { profile_type: 'RuntimeDefault' },
      },
    },
  };
}

function containerConfig(name: string): ContainerConfig {
  return {
    metadata: { name, attempt: 0 },
    image: { image: pauseImageName, user_specified_image: pauseImageName },
    ...{ command: [], args: [], working_dir: '', envs: [], mounts: [], devices: [], labels: {}, annotations: {} },
    ...{ log_path: `${name}.log`, stdin: false, stdin_once: false, tty: false },
    linux: {
      resources: { cpu_shares: 2, oom_score_adj: 1000 },
      security_context: {
        capabilities: { add_capabilities: [], drop_capabilities: [] },
        namespace_options: { network: 'NODE', pid: 'CONTAINER', ipc: 'POD' },
        seccomp: { profile_type: 'RuntimeDefault' },
        ...{ privileged: false, readonly_rootfs: true, supplemental_groups: [], no_new_privs: true, masked_paths: [], readonly_paths: [] },
      },
    },
  };
}

/**
 * A runc that cannot list the processes of a container twice, with what the kernel may say of cgroups that change, and is
 * runc thereafter: failures are counted in a folder by the container's id, while there is that folder.
 */
const hesitantRunc = (failures: string) => `#!/bin/sh
for id do :; done
case " $* " in
*" ps "*)
  if [ -d ${failures} ] && [ "$(cat ${failures}/$id 2>/dev/null)" != xx ]; then
    printf x >>${failures}/$id
    echo 'unable to get all container pids: read cgroup.procs: no such device' >&2
    exit 1
  fi ;;
esac
exec /usr/sbin/runc "$@"
`;

/** Every moment is a hundred: what is suspected for a while is suspected long enough after a fifth of a second. */
const hurried: Clock = {
  nowMs: systemClock.nowMs,
  monotonicMs: () => systemClock.monotonicMs() * 100,
  setTimer: (delayMs, fire, options) => systemClock.setTimer(delayMs / 100, fire, options),
};

describe('shims of a real containerd, as root', function () {
  this.timeout(180_000);
  let root = '';
  const programs = process.env['PATH'];
  let plan: ContainerdPlan;
  let cri: CRIClient;
  const shimPIDs = (id: string) => findProcesses((words) => parseShim(words)?.id === id);
  const shimPID = async (id: string): Promise<number> => {
    const [pid] = await shimPIDs(id);
    assert.ok(pid !== undefined, `no shim has the id ${id}`);
    return pid;
  };
  const stateOf = async (id: string) => (await cri.runtime.containerStatus(id)).state;
  /** Makes a shim look like one that answers too late: containerd creates another for the next container. */
  const hideShim = async (id: string) => {
    const address = await readFile(`${plan.directory}/state/io.containerd.runtime.v2.task/k8s.io/${id}/address`, 'utf8');
    await rm(address.replace('unix://', ''), { force: true });
  };
  const start = async (sandbox: SandboxConfig, sandboxID: string, name: string) => {
    const id = await cri.runtime.createContainer(sandboxID, containerConfig(name), sandbox);
    await cri.runtime.startContainer(id);
    return id;
  };
  /** Looks for orphans in hurried time for as long as the action takes. Answers what was warned of. */
  const whileLooking = async (action: () => Promise<void>): Promise<string[]> => {
    const warnings: string[] = [];
    const abort = new AbortController();
    const logger: Logger = { ...silentLogger, warn: (message, fields) => warnings.push(`${message} ${JSON.stringify(fields)}`) };
    const parts = [sandboxShims({ socket: plan.socket, hasRecord: (id) => hasContainerdRecord(plan.socket, id) })];
    const creations = { oldestMs: () => undefined };
    const looking = keepOrphansAway({ runtime: cri.runtime, parts, creations, clock: hurried, logger }, abort.signal);
    try {
      await action();
    } finally {
      abort.abort();
      await looking;
    }
    return warnings;
  };

  before(async function () {
    const user = await runProgram('id', ['-u']);
    if (user.trim() !== '0' || !needed.every((file) => existsSync(file))) return this.skip();
    root = await mkdtemp(`${tmpdir()}/kubets-shims-`);
    const directory = `${root}/containerd`;
    await runProgram('mkdir', [`${root}/bin`, `${root}/logs`]);
    await writeFile(`${root}/bin/runc`, hesitantRunc(`${root}/failures`));
    await chmod(`${root}/bin/runc`, 0o755);
    process.env['PATH'] = `${root}/bin:${programs}`;
    const folders = { cniConfigDirectory: `${root}/net.d`, cniPluginDirectory: '/usr/lib/cni' };
    plan = { directory, socket: containerdSocket(directory), ...folders, pauseImage: pauseImageName, cgroupDriver: 'cgroupfs' };
    await createContainerd(plan, { clock: systemClock, logger: silentLogger }).ensureRunning(AbortSignal.timeout(60_000));
    const archives = createImageArchives({ socket: plan.socket, record: `${directory}/loaded.json`, logger: silentLogger });
    await archives.loadPauseImage((await readMachineFacts()).architecture);
    await (await createCgroups()).ensure(cgroupRoot, {});
    cri = createCRIClient({ endpoint: `unix://${plan.socket}`, clock: systemClock });
  });

  after(async () => {
    process.env['PATH'] = programs;
    if (root === '') return;
    for (const pid of await shimsOf(plan.socket)) process.kill(pid, 'SIGCONT');
    cri.close();
    const network = { install: async () => {}, uninstall: async () => {} };
    const shared = {
      clock: systemClock,
      logger: silentLogger,
      runtime: plan,
      network,
      removeServiceRules: async () => {},
      cgroupNames: cgroupNames('cgroupfs', cgroupRoot),
      root,
    };
    await cleanNode({ ...shared, kubeletDirectory: root, podsDirectory: `${root}/pods`, keepImages: false });
    await rm(root, { recursive: true, force: true });
  });

  it('survive where they have the id of a container, because the sandbox answered too late', async () => {
    const sandbox = sandboxConfig(root, 'slow');
    const sandboxID = await cri.runtime.runPodSandbox(sandbox, '');
    await hideShim(sandboxID);
    const id = await start(sandbox, sandboxID, 'own');
    await shimPID(id); // else the case is not what it is meant to be
    const warnings = await whileLooking(() => sleep(systemClock, 1500));
    assert.equal(await stateOf(id), 'CONTAINER_RUNNING');
    assert.deepEqual(warnings, []);
  });

  it('survive where somebody else has made the container', async () => {
    const args = ['--address', plan.socket, '--namespace', 'k8s.io', 'run', '--detach', pauseImageName, 'theirs'];
    await runProgram('ctr', args);
    const warnings = await whileLooking(() => sleep(systemClock, 1500));
    const pid = await shimPID('theirs');
    assert.match(await readFile(`/proc/${pid}/stat`, 'utf8'), /\) [SR] /);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /left alone .*containerd has a record of it/);
    await runProgram('ctr', ['--address', plan.socket, '--namespace', 'k8s.io', 'tasks', 'kill', '--signal', 'SIGKILL', 'theirs']);
    await runProgram('ctr', ['--address', plan.socket, '--namespace', 'k8s.io', 'tasks', 'delete', 'theirs']).catch(() => '');
    await runProgram('ctr', ['--address', plan.socket, '--namespace', 'k8s.io', 'containers', 'delete', 'theirs']).catch(() => '');
  });

  it('survive a containerd that is killed, though their processes cannot be listed for a moment', async () => {
    const sandbox = sandboxConfig(root, 'unlisted');
    const sandboxID = await cri.runtime.runPodSandbox(sandbox, '');
    const id = await start(sandbox, sandboxID, 'healthy');
    const shim = await shimPID(sandboxID);
    mkdirSync(`${root}/failures`);
    const daemon = Number(await readFile(`${plan.directory}/containerd.pid`, 'utf8'));
    process.kill(daemon, 'SIGKILL');
    while (await processIsAlive(daemon)) await sleep(systemClock, 10);
    await createContainerd(plan, { clock: systemClock, logger: silentLogger }).ensureRunning(AbortSignal.timeout(60_000));
    assert.ok((await readdir(`${root}/failures`)).includes(sandboxID), 'containerd has not asked for the processes');
    await rm(`${root}/failures`, { recursive: true });
    assert.equal(await shimPID(sandboxID), shim);
    assert.equal(await stateOf(id), 'CONTAINER_RUNNING');
  });

  it('are waited for where containerd takes long to start', async () => {
    const directory = `${root}/slow`;
    const slow = { ...plan, directory, socket: containerdSocket(directory) };
    // Between the first look whether it answers and the next, half of the time has passed that two shims may take.
    let looks = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + (looks++ === 0 ? 0 : 60_000) };
    const containerd = createContainerd(slow, { clock, logger: silentLogger });
    await containerd.ensureRunning(AbortSignal.timeout(60_000));
    await containerd.stop();
  });

  it('are killed with their children where containerd knows nothing of them, and of no other containerd', async () => {
    const program = `${root}/containerd-shim-test-v1`;
    symlinkSync('/bin/sh', program);
    const orphan = (address: string) =>
      spawn(
        program,
        ['-c', 'sleep 300 & while :; do wait; sleep 0.1; done', '-namespace', 'k8s.io', '-id', 'forgotten', '-address', address],
        { stdio: 'ignore', detached: true },
      );
    const [ours, theirs] = [orphan(plan.socket), orphan(`/mnt${plan.socket}`)];
    const warnings = await whileLooking(async () => {
      for (let tries = 0; tries < 100 && ours.signalCode === null; tries++) await sleep(systemClock, 100);
    });
    assert.equal(ours.signalCode, 'SIGKILL', warnings.join());
    assert.equal(theirs.signalCode, null);
    process.kill(-(theirs.pid ?? 0), 'SIGKILL');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^removed by force .*"id":"forgotten"/);
  });

  it(`survive ${rounds} rounds in which they are stopped and continued at random`, async () => {
    const random = createSeededRandom(7);
    const sandbox = sandboxConfig(root, 'rounds');
    const sandboxID = await cri.runtime.runPodSandbox(sandbox, '');
    const ids: string[] = [];
    const warnings = await whileLooking(async () => {
      for (let round = 0; round < rounds; round++) {
        for (const pid of await shimsOf(plan.socket)) if (random.next() < 0.5) process.kill(pid, 'SIGSTOP');
        if (random.next() < 0.5) await hideShim(sandboxID);
        const starting = start(sandbox, sandboxID, `c${round}`);
        await sleep(systemClock, 300 * random.next());
        for (const pid of await shimsOf(plan.socket)) process.kill(pid, 'SIGCONT');
        ids.push(await starting);
      }
      await sleep(systemClock, 1000);
    });
    assert.deepEqual(warnings, []);
    for (const id of ids) assert.equal(await stateOf(id), 'CONTAINER_RUNNING');
  });
});
