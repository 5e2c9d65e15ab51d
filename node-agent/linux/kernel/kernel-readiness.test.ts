import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createKernelAccess, type KernelAccess } from './kernel-access.ts';
import { isSatisfied, kernelNeeds } from './kernel-needs.ts';
import { createKernelReadiness } from './kernel-readiness.ts';

const needs = kernelNeeds({ families: ['IPv4', 'IPv6'], podNetwork: 'vxlan', hasOwnRuntime: true, cpus: 2 });
const sys = (name: string) => `/proc/sys/${name}`;

/** Files that modules bring with them, as a booted kernel has it that loads nothing by itself. */
const broughtBy: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  br_netfilter: { [sys('net/bridge/bridge-nf-call-iptables')]: '0\n', [sys('net/bridge/bridge-nf-call-ip6tables')]: '0\n' },
  nf_conntrack: {
    [sys('net/netfilter/nf_conntrack_max')]: '65536\n',
    [sys('net/netfilter/nf_conntrack_tcp_timeout_established')]: '432000\n',
    [sys('net/netfilter/nf_conntrack_tcp_timeout_close_wait')]: '60\n',
  },
  overlay: { '/proc/filesystems': 'nodev\tproc\n\text4\nnodev\toverlay\n' },
  vxlan: { '/sys/module/vxlan': '' },
};

function bootedKernel(loadable: readonly string[] = Object.keys(broughtBy)) {
  const files = new Map([
    ['/proc/filesystems', 'nodev\tproc\n\text4\n'],
    [sys('net/ipv4/ip_forward'), '0\n'],
    [sys('net/ipv6/conf/all/forwarding'), '0\n'],
    [sys('net/ipv6/conf/eth0/accept_ra'), '1\n'],
  ]);
  const loads: string[] = [];
  const writes: string[] = [];
  const readOnly = new Set<string>();
  const kernel: KernelAccess = {
    read: async (file) => files.get(file),
    exists: async (file) => files.has(file),
    async write(file, value) {
      if (readOnly.has(file)) throw new Error(`EROFS: read-only file system, open '${file}'`);
      writes.push(`${file}=${value}`);
      files.set(file, `${value}\n`);
    },
    async loadModule(name) {
      loads.push(name);
      if (!loadable.includes(name)) throw new Error(`modprobe: FATAL: Module ${name} not found in directory /lib/modules/6.12.0`);
      for (const [file, value] of Object.entries(broughtBy[name] ?? {})) files.set(file, value);
    },
    names: async () => ['all', 'default', 'eth0'],
  };
  return { kernel, files, loads, writes, readOnly };
}

function readinessOf(kernel: KernelAccess) {
  const clock = createManualClock();
  const changes: string[] = [];
  const readiness = createKernelReadiness({ needs, kernel, clock, logger: silentLogger, onChange: () => changes.push('') });
  return { clock, readiness, changes };
}

describe('readiness of the kernel', () => {
  it('loads the modules that are missing, and makes their settings at once', async () => {
    const { kernel, files, loads } = bootedKernel();
    const { readiness, changes } = readinessOf(kernel);
    await readiness.ensure();
    assert.deepEqual(loads, ['br_netfilter', 'nf_conntrack', 'overlay', 'vxlan']);
    assert.deepEqual(readiness.problems(), []);
    assert.equal(changes.length, 0);
    for (const { file, value } of needs.settings) assert.equal(files.get(sys(file)), `${value}\n`, file);
    assert.equal(files.get(sys('net/netfilter/nf_conntrack_max')), '131072\n');
    assert.equal(files.get(sys('net/netfilter/nf_conntrack_tcp_timeout_established')), '86400\n');
  });

  it('listens to routers before it becomes one', async () => {
    const { kernel, writes } = bootedKernel();
    await readinessOf(kernel).readiness.ensure();
    const at = (text: string) => writes.findIndex((write) => write.includes(text));
    assert.ok(at('accept_ra=2') >= 0 && at('accept_ra=2') < at('ipv6/conf/all/forwarding=1'), writes.join());
  });

  it('runs no program and writes nothing where all is there', async () => {
    const { kernel, loads, writes } = bootedKernel();
    const { readiness } = readinessOf(kernel);
    await readiness.ensure();
    const [loaded, written] = [loads.length, writes.length];
    await readiness.ensure();
    assert.deepEqual([loads.length, writes.length], [loaded, written]);
  });

  it('says what is missing, what that means and what to do, and sees it when it comes', async () => {
    const { kernel, files, loads } = bootedKernel(['nf_conntrack', 'overlay', 'vxlan']);
    const { readiness, changes, clock } = readinessOf(kernel);
    await readiness.ensure();
    assert.deepEqual(readiness.problems(), [
      'kernel not ready: module br_netfilter is not loaded (modprobe: FATAL: Module br_netfilter not found in directory /lib/modules/6.12.0): Pods cannot reach Services whose endpoints are on the same node; run "modprobe br_netfilter", which takes the package kmod and the modules of the running kernel',
    ]);
    assert.equal(changes.length, 1);
    await readiness.ensure();
    assert.equal(loads.filter((name) => name === 'br_netfilter').length, 1);
    await clock.advance(60_000);
    await readiness.ensure();
    assert.equal(loads.filter((name) => name === 'br_netfilter').length, 2);
    assert.equal(changes.length, 1);
    for (const [file, value] of Object.entries(broughtBy['br_netfilter'] ?? {})) files.set(file, value);
    await readiness.ensure();
    assert.deepEqual(readiness.problems(), []);
    assert.equal(changes.length, 2);
    assert.equal(files.get(sys('net/bridge/bridge-nf-call-iptables')), '1\n');
  });

  it('makes everything again when a module was loaded anew or others changed settings', async () => {
    const { kernel, files } = bootedKernel();
    const { readiness, clock } = readinessOf(kernel);
    await readiness.ensure();
    const abort = new AbortController();
    const running = readiness.run(abort.signal);
    for (const file of Object.keys(broughtBy['nf_conntrack'] ?? {})) files.delete(file);
    files.set(sys('net/bridge/bridge-nf-call-iptables'), '0\n');
    files.set(sys('net/ipv4/ip_forward'), '0\n');
    await clock.advance(10_000);
    for (const { file, value } of needs.settings) assert.equal(files.get(sys(file)), `${value}\n`, file);
    abort.abort();
    await running;
  });

  it('keeps larger numbers of connections, and does without what Pods do not need', async () => {
    const { kernel, files, readOnly } = bootedKernel();
    const { readiness } = readinessOf(kernel);
    for (const file of Object.keys(broughtBy['nf_conntrack'] ?? {})) readOnly.add(file);
    await readiness.ensure();
    assert.deepEqual(readiness.problems(), []);
    assert.equal(files.get(sys('net/netfilter/nf_conntrack_max')), '65536\n');
    readOnly.clear();
    files.set(sys('net/netfilter/nf_conntrack_max'), '262144\n');
    await readiness.ensure();
    assert.equal(files.get(sys('net/netfilter/nf_conntrack_max')), '262144\n');
  });

  it('says which setting cannot be made', async () => {
    const { kernel, readOnly } = bootedKernel();
    readOnly.add(sys('net/ipv4/ip_forward'));
    const { readiness } = readinessOf(kernel);
    await readiness.ensure();
    const [problem = ''] = readiness.problems();
    assert.match(problem, /^kernel not ready: net\.ipv4\.ip_forward is not 1 \(it is 0 and cannot be written: EROFS/);
    assert.match(problem, /run "sysctl -w net\.ipv4\.ip_forward=1"$/);
  });

  it('leaves the bridge to other network plugins', async () => {
    const others = kernelNeeds({ families: ['IPv4'], podNetwork: 'external', hasOwnRuntime: false, cpus: 1 });
    const { kernel } = bootedKernel(['nf_conntrack']);
    const readiness = createKernelReadiness({
      needs: others,
      kernel,
      clock: createManualClock(),
      logger: silentLogger,
      onChange: () => {},
    });
    await readiness.ensure();
    assert.deepEqual(readiness.problems(), []);
  });

  it('finds the real kernel as it is', async function () {
    const kernel = createKernelAccess();
    const missing = {
      name: 'kubets-no-such-module',
      evidence: { file: '/sys/module/kubets_no_such_module' },
      consequence: 'nothing works',
    };
    const readiness = createKernelReadiness({
      needs: {
        modules: [{ name: 'proc', evidence: { file: '/proc/filesystems', word: 'proc' }, consequence: 'x' }, missing],
        settings: [],
      },
      kernel,
      clock: systemClock,
      logger: silentLogger,
      onChange: () => {},
    });
    await readiness.ensure();
    assert.equal(readiness.problems().length, 1);
    assert.match(readiness.problems()[0] ?? '', /^kernel not ready: module kubets-no-such-module is not loaded \(modprobe\b/);
  });
});

describe('values of kernel settings', () => {
  const cases = [
    ['equal', '1\n', true],
    ['equal', '2\n', false],
    ['equal', '', false],
    ['equal', 'Y\n', false],
    ['atLeast', '0\n', false],
    ['atLeast', '2\n', true],
  ] as const;
  for (const [rule, present, expected] of cases)
    it(`${rule} 1: ${JSON.stringify(present)}`, () => assert.equal(isSatisfied({ value: 1, rule }, present), expected));
});
