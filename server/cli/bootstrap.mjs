// This runs on whatever Node the machine has: it brings everything else in place and hands over to it.
//   node server/cli/bootstrap.mjs up [flags]     installs what is missing, then runs `kubets up`
//   node server/cli/bootstrap.mjs agent [flags]  the same for `kubets agent`, a node of a cluster elsewhere
//   node server/cli/bootstrap.mjs check-machine  says what this machine lacks to be a node, and installs no system packages
//   node server/cli/bootstrap.mjs install [flags] the same for `kubets install`, which makes a service of either
//   node server/cli/bootstrap.mjs test [flags]   installs what is missing, then runs all tests
//   node server/cli/bootstrap.mjs machine-test [flags]  installs what is missing, then tests on emulated machines
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  installCommand,
  packageManagerOf,
  parseRelease,
  systemPackages,
  unknownPackagesRemedy,
} from '../../node-agent/linux/survey/system-packages.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const bin = path.join(root, 'node_modules/.bin');

/** Debian packages with files of them. One that has a file there already is not asked for again. */
const nodePackages = systemPackages.map(({ apt, files }) => [apt, ...files]);
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
  ['patroni', '/usr/bin/patroni'],
  ['postgresql', '/usr/lib/postgresql'],
];
/** The packages that make and run an emulated Debian machine. */
const emulatorPackages = [
  ['qemu-system-x86', '/usr/bin/qemu-system-x86_64'],
  ['qemu-utils', '/usr/bin/qemu-img'],
  ['debootstrap', '/usr/sbin/debootstrap'],
  ['e2fsprogs', '/usr/sbin/mkfs.ext4', '/sbin/mkfs.ext4'],
  ['openssh-client', '/usr/bin/ssh'],
];

/**
 * The size of the young generation, whatever the machine: with half of it the collector takes a larger part of the time
 * under load. What it takes in memory goes back when the process is idle (startup/release-idle-memory.ts).
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
  // No package may run anything of its own: all that is needed is in the packages, whose hashes are in the lock file.
  if (run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']) !== 0)
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
  const release = existsSync('/etc/os-release') ? parseRelease(readFileSync('/etc/os-release', 'utf8')) : {};
  if (packageManagerOf(release) !== 'apt' || !existsSync('/usr/bin/apt-get'))
    fail(
      `${purpose} needs packages that are missing. Only on Debian and Ubuntu they are installed by themselves; here: ${installCommand(release, missing)} (docs/platforms.md tells of other distributions)`,
    );
  say(`installing the system packages ${missing.join(' ')} ...`);
  // Nothing is asked, no service is started or restarted by it.
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', NEEDRESTART_SUSPEND: '1' };
  const apt = (...args) => run('apt-get', ['-qq', '-o=Dpkg::Use-Pty=0', '-o=DPkg::Lock::Timeout=120', ...args], { env: environment });
  apt('update');
  const unknown = missing.filter((name) => run('apt-cache', ['show', name], { stdio: 'ignore' }) !== 0);
  if (unknown.length > 0) fail(unknownPackagesRemedy(release, unknown));
  // Installed packages stay: docker's containerd.io, for one, would be replaced by the distribution's.
  if (apt('install', '-y', '--no-install-recommends', '--no-remove', ...missing) !== 0)
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
  const { hideSecrets, takeToken } = await import('./terminal/hide-secrets.mjs');
  hideSecrets(process.argv);
  const { kept, token } = takeToken(rest);
  if (token !== undefined) process.env['KUBETS_TOKEN'] = token;
  await handOver([path.join(root, 'server/cli/kubets.mjs'), 'agent', ...kept]);
} else if (what === 'install') {
  ensureNpmPackages();
  ensureGenerated();
  const needsNoNode = ['--no-node', '--dry-run', '--help', '-h'].some((flag) => rest.includes(flag));
  if (!needsNoNode) ensureSystemPackages(nodePackages, 'a node (containers, network)');
  await handOver([path.join(root, 'server/cli/kubets.mjs'), 'install', ...rest]);
} else if (what === 'test') {
  ensureNpmPackages();
  ensureGenerated();
  const isWithMachines =
    rest.some((flag) => /^(--machine|machine|--only=machine)$/.test(flag)) || process.env['KUBETS_MACHINE_TEST'] === '1';
  ensureSystemPackages([...nodePackages, ...testPackages, ...(isWithMachines ? emulatorPackages : [])], 'the test run');
  await handOver([path.join(root, 'conformance/framework/run-tests.ts'), ...rest]);
} else if (what === 'machine-test') {
  ensureNpmPackages();
  ensureGenerated();
  ensureSystemPackages(emulatorPackages, 'the test on emulated machines');
  await handOver([path.join(root, 'conformance/machine/run-machine-test.ts'), ...rest]);
} else if (what === 'check-machine') {
  ensureNpmPackages();
  ensureGenerated();
  await handOver([path.join(root, 'server/cli/kubets.mjs'), 'check-machine', ...rest]);
} else if (what === 'prepare') {
  ensureNpmPackages();
  ensureGenerated();
} else {
  fail('usage: node server/cli/bootstrap.mjs up|agent|install|check-machine|test|machine-test|prepare [flags]');
}
