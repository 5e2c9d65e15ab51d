// The one file that runs on whatever Node the machine has: it brings everything else in place and hands over to it.
//   node server/cli/bootstrap.mjs up [flags]     installs what is missing, then runs `kubets up`
//   node server/cli/bootstrap.mjs agent [flags]  the same for `kubets agent`, a node of a cluster elsewhere
//   node server/cli/bootstrap.mjs test [flags]   installs what is missing, then runs all tests
//   node server/cli/bootstrap.mjs machine-test [flags]  installs what is missing, then tests on emulated machines
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const bin = path.join(root, 'node_modules/.bin');

/** Debian packages by what they are for. A command or file that is there already is not asked for again. */
const nodePackages = [
  ['containerd', '/usr/bin/containerd'],
  ['runc', '/usr/sbin/runc'],
  ['containernetworking-plugins', '/usr/lib/cni/bridge'],
  ['nftables', '/usr/sbin/nft'],
  ['iptables', '/usr/sbin/iptables'],
  ['iproute2', '/usr/sbin/ip', '/usr/bin/ip'],
  ['conntrack', '/usr/sbin/conntrack'],
  ['catatonit', '/usr/bin/catatonit'],
  ['procps', '/usr/bin/ps', '/bin/ps'],
  ['kmod', '/usr/sbin/modprobe', '/sbin/modprobe'],
];
const testPackages = [
  ['etcd-server', '/usr/bin/etcd'],
  ['etcd-client', '/usr/bin/etcdctl'],
  ['busybox-static', '/usr/bin/busybox'],
  ['nginx-light', '/usr/sbin/nginx'],
  ['redis-server', '/usr/bin/redis-server'],
  ['redis-tools', '/usr/bin/redis-cli'],
  ['curl', '/usr/bin/curl'],
  ['python3-kubernetes', '/usr/lib/python3/dist-packages/kubernetes'],
  ['golang-go', '/usr/bin/go'],
  ['golang-k8s-client-go-dev', '/usr/share/gocode/src/k8s.io/client-go'],
];
/** What makes and runs an emulated Debian machine. */
const emulatorPackages = [
  ['qemu-system-x86', '/usr/bin/qemu-system-x86_64'],
  ['qemu-utils', '/usr/bin/qemu-img'],
  ['debootstrap', '/usr/sbin/debootstrap'],
  ['e2fsprogs', '/usr/sbin/mkfs.ext4', '/sbin/mkfs.ext4'],
  ['openssh-client', '/usr/bin/ssh'],
];

/**
 * The size of the young generation, whatever the machine: with half of it the collector takes a larger part of the time
 * under load. What it takes in memory goes back when the process is idle (release-idle-memory.ts).
 */
const memoryFlags = ['--max-semi-space-size=16'];

function say(text) {
  process.stderr.write(`kubets: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.error) fail(`cannot run ${command}: ${result.error.message}`);
  return result.status ?? 1;
}

/** Installs the npm packages if the lock file has changed since they were last installed. */
function ensureNpmPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = path.join(root, 'node_modules/.cache/kubets-lock');
  if (existsSync(path.join(bin, 'node')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('installing the npm packages (first start only; about a minute) ...');
  if (run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']) !== 0)
    fail('npm ci failed: see the lines above; with a network it can simply be repeated');
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

/** Generates types, schemas and OpenAPI documents from the facts; does nothing when they are up to date. */
function ensureGenerated() {
  if (run(path.join(bin, 'node'), ['openapi/generate/main.ts'], { stdio: ['ignore', 'ignore', 2] }) !== 0)
    fail('generating the API types from openapi/facts failed: see the lines above');
}

function ensureSystemPackages(wanted, purpose) {
  const missing = wanted.filter(([, ...files]) => !files.some((file) => existsSync(file))).map(([name]) => name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0)
    fail(
      `${purpose} needs root and the packages ${missing.join(', ')}. Run it as root${purpose.startsWith('a node') ? ', or with --no-node for the control plane alone' : ''}.`,
    );
  if (!existsSync('/usr/bin/apt-get'))
    fail(
      `${purpose} needs ${missing.join(', ')}; install them with your distribution's package manager (Debian and Ubuntu are done automatically).`,
    );
  say(`installing the system packages ${missing.join(' ')} ...`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (...args) => run('apt-get', ['-qq', '-o=Dpkg::Use-Pty=0', ...args], { env: environment });
  apt('update');
  if (apt('install', '-y', '--no-install-recommends', ...missing) !== 0)
    fail(`apt-get could not install ${missing.join(' ')}: see the lines above`);
}

/** Replaces this process in all but name: signals go to the child by the terminal's process group, or are passed on. */
async function handOver(args) {
  const { spawn } = await import('node:child_process');
  const child = spawn(path.join(bin, 'node'), args, {
    cwd: process.env['INIT_CWD'] ?? process.cwd(),
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

const [what, ...rest] = process.argv.slice(2);
if (what === 'up') {
  const wantsHelp = rest.includes('--help') || rest.includes('-h');
  ensureNpmPackages();
  ensureGenerated();
  if (!rest.includes('--no-node') && !wantsHelp) ensureSystemPackages(nodePackages, 'a node (containers, network)');
  await handOver([...memoryFlags, path.join(root, 'server/cli/kubets.mjs'), 'up', ...rest]);
} else if (what === 'agent') {
  ensureNpmPackages();
  ensureGenerated();
  if (!rest.includes('--help') && !rest.includes('-h')) ensureSystemPackages(nodePackages, 'a node (containers, network)');
  await handOver([path.join(root, 'server/cli/kubets.mjs'), 'agent', ...rest]);
} else if (what === 'test') {
  ensureNpmPackages();
  ensureGenerated();
  ensureSystemPackages([...nodePackages, ...testPackages], 'the test run');
  await handOver([path.join(root, 'conformance/framework/run-tests.ts'), ...rest]);
} else if (what === 'machine-test') {
  ensureNpmPackages();
  ensureGenerated();
  ensureSystemPackages(emulatorPackages, 'the test on emulated machines');
  await handOver([path.join(root, 'conformance/machine/run-machine-test.ts'), ...rest]);
} else if (what === 'prepare') {
  ensureNpmPackages();
  ensureGenerated();
} else {
  fail('usage: node server/cli/bootstrap.mjs up|agent|test|machine-test|prepare [flags]');
}
