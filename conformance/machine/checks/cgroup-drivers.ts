import type { CheckContext, CheckTopic } from './check.ts';
import { expectEqual, expectMatch, expectThat } from '../guest/expect.ts';
import { findPodCgroup, idle, podManifest } from './pods.ts';
import { resetAndLook, stopAndReset } from './removal.ts';
import { imagesAreLoaded } from './start.ts';

export const systemdDriver: CheckTopic = {
  topic: 'systemd driver',
  checks: [
    { name: 'Pods are slices of systemd, containers scopes, with the limits of their Pods', run: podsAreSlices },
    { name: 'limits stay as they are when systemd is told to read its units anew', run: limitsSurviveReload },
  ],
};

export const cgroupfsDriver: CheckTopic = {
  topic: 'cgroupfs driver',
  prepare: { name: 'a new node starts with cgroup-driver=cgroupfs', run: startAnew },
  checks: [
    { name: 'Pods have cgroups of their own below kubepods, with their limits', run: podsAreFolders },
    { name: 'limits stay as they are when systemd is told to read its units anew', run: limitsSurviveReload },
    { name: '`kubets reset` leaves no cgroup, and nothing else', run: stopAndReset },
  ],
};

async function startAnew(context: CheckContext): Promise<string> {
  const { cluster } = context;
  // The driver of a node is changed by a reset only; of the topic before, nothing runs any more.
  await cluster.interruptUp().catch(() => undefined);
  await resetAndLook(context);
  await cluster.up(['--kubelet-arg', 'cgroup-driver=cgroupfs']);
  await cluster.waitForField('node/node1', '{.status.conditions[?(@.type=="Ready")].status}', /^True$/, 60);
  return await imagesAreLoaded(context);
}

async function podsAreSlices({ cluster, machine }: CheckContext): Promise<string> {
  const limits = { cpu: '200m', memory: '64Mi' };
  await cluster.apply(podManifest({ name: 'sliced', script: idle, requests: { cpu: '100m' }, limits }));
  await cluster.waitForField('pod/sliced', '{.status.phase}', /^Running$/, 60);
  const uid = await cluster.field('pod/sliced', '{.metadata.uid}');
  const found = (await machine.succeed(`${findPodCgroup(uid)}; echo $pod; cat $pod/memory.max; ls -d $pod/*.scope`)).trim().split('\n');
  const [folder = '', memory = '', ...scopes] = found;
  expectMatch(
    'the cgroup',
    folder,
    /^\/sys\/fs\/cgroup\/kubepods\.slice\/kubepods-burstable\.slice\/kubepods-burstable-pod[0-9a-f_]+\.slice$/,
  );
  expectEqual('memory.max', memory, 67_108_864);
  expectThat(scopes.length >= 2, `it has the scopes ${scopes.join(', ')}`);
  const slice = folder.slice(folder.lastIndexOf('/') + 1);
  expectEqual(`whether ${slice} is active`, await machine.succeed(`systemctl is-active ${slice}`), 'active');
  return `${slice}, ${scopes.length} scopes`;
}

async function podsAreFolders({ cluster, machine }: CheckContext): Promise<string> {
  const limits = { cpu: '200m', memory: '64Mi' };
  await cluster.apply(podManifest({ name: 'sliced', script: idle, requests: { cpu: '100m' }, limits }));
  await cluster.waitForField('pod/sliced', '{.status.phase}', /^Running$/, 60);
  const uid = await cluster.field('pod/sliced', '{.metadata.uid}');
  const [folder, memory, count] = (await machine.succeed(`${findPodCgroup(uid)}; echo $pod; cat $pod/memory.max; ls -d $pod/*/ | wc -l`))
    .trim()
    .split('\n');
  expectEqual('the cgroup', folder, `/sys/fs/cgroup/kubepods/burstable/pod${uid}`);
  expectEqual('memory.max', memory, 67_108_864);
  expectThat(Number(count) >= 2, `it has ${count} cgroups below`);
  return `${folder}, ${count} cgroups below`;
}

async function limitsSurviveReload({ cluster, machine }: CheckContext): Promise<string> {
  const uid = await cluster.field('pod/sliced', '{.metadata.uid}');
  const read = () =>
    machine.succeed(`${findPodCgroup(uid)}; cat $pod/memory.max $pod/cpu.max $pod/cpu.weight; cat /sys/fs/cgroup/kubepods*/memory.max`);
  const before = await read();
  await machine.succeed('systemctl daemon-reload && systemctl daemon-reexec');
  expectEqual('the limits', await read(), before.trim());
  await cluster.remove('pod/sliced');
  return before.trim().replaceAll('\n', ', ');
}
