import assert from 'node:assert/strict';
import type { Container, Pod } from '../../../api/types/core-v1.ts';
import { nodePaths } from '../../node-paths.ts';
import { cgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import { podBounds, podCgroupLimits, podCgroupName } from '../resources/pod-resources.ts';
import { containerConfig } from './container-config.ts';
import { sandboxConfig } from './sandbox-config.ts';

const paths = nodePaths('/data');
const gigabyte = 2 ** 30;

function podOf(container: Partial<Container>, spec: Partial<Pod['spec']> = {}): Pod {
  return { metadata: { name: 'p', namespace: 'n', uid: 'u' }, spec: { containers: [{ name: 'c', image: 'img', ...container }], ...spec } };
}

function configOf(
  container: Partial<Container>,
  spec: Partial<Pod['spec']> = {},
  image: { uid?: number; username?: string } = {},
  defaultSeccomp: 'RuntimeDefault' | 'Unconfined' = 'Unconfined',
) {
  const pod = podOf(container, spec);
  const [whole] = pod.spec?.containers ?? [];
  assert.ok(whole);
  return containerConfig(pod, whole, {
    paths,
    environment: new Map([['A', 'a']]),
    mounts: [],
    devices: [],
    restartCount: 2,
    defaultSeccomp,
    image: { reference: 'sha256:1', uid: image.uid, username: image.username ?? '' },
    swap: { behavior: 'NoSwap', cgroupVersion: 1, limitsSwap: false, machineSwapBytes: 0, machineMemoryBytes: 4 * gigabyte },
  });
}

describe('containerConfig', () => {
  it('describes a plain container', () => {
    const config = configOf({ command: ['run', '$(A)'], args: ['$$(A)'] });
    assert.deepEqual(config.metadata, { name: 'c', attempt: 2 });
    assert.deepEqual(
      [config.command, config.args, config.envs, config.log_path],
      [['run', 'a'], ['$(A)'], [{ key: 'A', value: 'a' }], 'c/2.log'],
    );
    assert.deepEqual(config.linux.resources, { cpu_shares: 2, oom_score_adj: 1000 });
    const { seccomp, privileged, no_new_privs, masked_paths } = config.linux.security_context;
    assert.deepEqual([seccomp, privileged, no_new_privs, masked_paths.length > 5], [{ profile_type: 'Unconfined' }, false, false, true]);
    assert.equal(config.labels['io.kubernetes.pod.uid'], 'u');
  });

  it("names the profile of AppArmor that is asked for, the container's before the Pod's", () => {
    const shared = { securityContext: { appArmorProfile: { type: 'Localhost' as const, localhostProfile: 'mine' } } };
    const profileOf = (...args: Parameters<typeof configOf>) => configOf(...args).linux.security_context.apparmor;
    assert.equal(profileOf({}), undefined);
    assert.deepEqual(profileOf({}, shared), { profile_type: 'Localhost', localhost_ref: 'mine' });
    assert.deepEqual(profileOf({ securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }, shared), {
      profile_type: 'RuntimeDefault',
    });
  });

  it('turns resources into cgroup values', () => {
    const resources = { requests: { cpu: '250m', memory: '1Gi' }, limits: { cpu: '1500m', memory: '2Gi' } };
    assert.deepEqual(configOf({ resources }).linux.resources, {
      cpu_shares: 256,
      cpu_quota: 150_000,
      cpu_period: 100_000,
      memory_limit_in_bytes: 2 * gigabyte,
      oom_score_adj: 750,
    });
    const guaranteed = { limits: { cpu: '1', memory: '1Gi' } };
    assert.equal(configOf({ resources: { ...guaranteed, requests: guaranteed.limits } }).linux.resources.oom_score_adj, -997);
  });

  it('lets the container override the Pod', () => {
    const spec = {
      securityContext: {
        runAsUser: 1,
        runAsGroup: 2,
        fsGroup: 3,
        supplementalGroups: [4],
        supplementalGroupsPolicy: 'Strict' as const,
        seccompProfile: { type: 'RuntimeDefault' as const },
      },
    };
    const own = {
      runAsUser: 5,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'Localhost' as const, localhostProfile: 'x.json' },
    };
    const context = configOf({ securityContext: own }, spec).linux.security_context;
    assert.deepEqual(
      [
        context.run_as_user,
        context.run_as_group,
        context.supplemental_groups,
        context.supplemental_groups_policy,
        context.no_new_privs,
        context.capabilities.drop_capabilities,
      ],
      [{ value: 5 }, { value: 2 }, [3, 4], 'Strict', true, ['ALL']],
    );
    assert.deepEqual(context.seccomp, { profile_type: 'Localhost', localhost_ref: '/data/node/seccomp/x.json' });
    assert.deepEqual(configOf({}, spec).linux.security_context.seccomp, { profile_type: 'RuntimeDefault' });
  });

  it('has the seccomp profile of the runtime by default where the node says so, but for privileged containers', () => {
    const profileOf = (container: Partial<Container>) => configOf(container, {}, {}, 'RuntimeDefault').linux.security_context.seccomp;
    assert.deepEqual(profileOf({}), { profile_type: 'RuntimeDefault' });
    assert.deepEqual(profileOf({ securityContext: { seccompProfile: { type: 'Unconfined' } } }), { profile_type: 'Unconfined' });
    assert.deepEqual(profileOf({ securityContext: { privileged: true } }), { profile_type: 'Unconfined' });
  });

  it('has mounts of a Pod with users of its own translated', () => {
    const mount = { container_path: '/m', host_path: '/v', readonly: false, propagation: 'PROPAGATION_PRIVATE' } as const;
    const pod = podOf({}, { hostUsers: false });
    const [whole] = pod.spec?.containers ?? [];
    assert.ok(whole);
    const mountsWith = (userRange: number | undefined) =>
      containerConfig(pod, whole, {
        ...{ paths, environment: new Map(), mounts: [mount], devices: [], restartCount: 0, userRange, defaultSeccomp: 'Unconfined' },
        image: { reference: 'sha256:1', uid: undefined, username: '' },
        swap: { behavior: 'NoSwap', cgroupVersion: 1, limitsSwap: false, machineSwapBytes: 0, machineMemoryBytes: 4 * gigabyte },
      }).mounts;
    const mapping = [{ host_id: 65_536, container_id: 0, length: 65_536 }];
    assert.deepEqual(mountsWith(65_536), [{ ...mount, uidMappings: mapping, gidMappings: mapping }]);
    assert.deepEqual(mountsWith(undefined), [mount]);
  });

  const where = '(pod: "p_n(u)", container: c)';
  const refused: [string, Partial<Container>, { uid?: number; username?: string }][] = [
    [`container has runAsNonRoot and image will run as root ${where}`, {}, {}],
    [`container has runAsNonRoot and image will run as root ${where}`, {}, { uid: 0 }],
    [`container has runAsNonRoot and image has non-numeric user (bob), cannot verify user is non-root ${where}`, {}, { username: 'bob' }],
    [`container's runAsUser breaks non-root policy ${where}`, { securityContext: { runAsUser: 0 } }, { uid: 5 }],
  ];
  for (const [message, container, image] of refused) {
    it(message, () => assert.throws(() => configOf(container, { securityContext: { runAsNonRoot: true } }, image), { message }));
  }
  it('accepts a user that is not root', () => {
    assert.ok(configOf({}, { securityContext: { runAsNonRoot: true } }, { uid: 7 }));
    assert.ok(configOf({ securityContext: { runAsUser: 7 } }, { securityContext: { runAsNonRoot: true } }));
  });
});

describe('sandboxConfig', () => {
  const describeSandbox = (pod: Pod) =>
    sandboxConfig(pod, 1, { paths, cgroupParent: '/kubepods/podu', dns: undefined, clusterDomain: 'cluster.local' });
  it('maps host ports and names the Pod', () => {
    const config = describeSandbox(
      podOf({
        ports: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 53, protocol: 'UDP' },
        ],
      }),
    );
    assert.deepEqual(config.port_mappings, [{ protocol: 'TCP', container_port: 80, host_port: 8080, host_ip: '' }]);
    assert.deepEqual([config.hostname, config.metadata.attempt, config.log_directory], ['p', 1, '/data/node/logs/pods/n_p_u']);
  });
  it('shares what the Pod asks for', () => {
    const config = describeSandbox(podOf({}, { hostNetwork: true, hostPID: true, hostIPC: true }));
    assert.deepEqual(config.linux.security_context.namespace_options, { network: 'NODE', pid: 'NODE', ipc: 'NODE' });
    assert.equal(config.hostname, '');
    const shared = describeSandbox(podOf({}, { shareProcessNamespace: true }));
    assert.equal(shared.linux.security_context.namespace_options.pid, 'POD');
    assert.equal(describeSandbox(podOf({}, { subdomain: 's', setHostnameAsFQDN: true })).hostname, 'p.s.n.svc.cluster.local');
  });
});

describe('pod cgroups', () => {
  const cases: [string, Partial<Container>[], string, unknown][] = [
    ['BestEffort', [{}], '/kubepods/besteffort/podu', { cpuShares: 2 }],
    ['Burstable, one unlimited', [{ resources: { limits: { memory: '1Gi' } } }, {}], '/kubepods/burstable/podu', { cpuShares: 2 }],
    [
      'Guaranteed',
      [{ resources: { limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } } }],
      '/kubepods/podu',
      { cpuShares: 512, cpuQuota: 50_000, memoryBytes: gigabyte },
    ],
  ];
  for (const [name, containers, cgroup, limits] of cases) {
    it(name, () => {
      const pod = podOf({}, { containers: containers.map((container, index) => ({ name: `c${index}`, image: 'img', ...container })) });
      assert.equal(podCgroupName(cgroupNames('cgroupfs', '/kubepods'), pod), cgroup);
      assert.deepEqual(podCgroupLimits(pod, { pidsLimit: undefined, hugePageSizes: [] }), limits);
    });
  }
  it('a limit of the Pod bounds unlimited containers', () => {
    assert.deepEqual(podBounds(podOf({}, { resources: { limits: { memory: '1Gi' } } })), { memory: gigabyte });
  });
});
