import assert from 'node:assert/strict';
import { addAgentCommand } from '../agent-command.ts';
import { addUpCommand } from '../up-command.ts';
import { captureFlags } from './capture-flags.ts';
import { planService, type ServiceInput } from './plan-service.ts';

const input: ServiceInput = {
  kind: 'up',
  given: [],
  hasNode: true,
  workingDirectory: '/home/me',
  dataDirectory: '/var/lib/kubets',
  root: '/opt/kubets',
  nodeProgram: '/opt/node',
};
/** The service's arguments after the name of the command. */
const flagsOf = (changes: Partial<ServiceInput>) => {
  const { command } = planService({ ...input, ...changes });
  return command.slice(command.findIndex((word) => word.endsWith('kubets.mjs')) + 2).join(' ');
};
const shutdown = '--kubelet-arg shutdown-grace-period=30s --kubelet-arg shutdown-grace-period-critical-pods=10s';

describe('the service of a cluster', () => {
  it('leaves Pods running, and ends them with the machine', () =>
    assert.equal(flagsOf({}), `--data-dir /var/lib/kubets --leave-pods-running ${shutdown}`));

  it('keeps the flags that it was given, with absolute paths', () =>
    assert.equal(
      flagsOf({
        given: [
          { name: '--port', value: '7443' },
          { name: '--no-metrics-api' },
          { name: '--kubeconfig', value: './k' },
          { name: '--node-labels', value: '' },
          { name: '--controllers', value: '-foo' },
          { name: '--data-dir', value: './data' },
        ],
      }),
      `--data-dir /var/lib/kubets --port 7443 --no-metrics-api --kubeconfig /home/me/k --node-labels= --controllers=-foo --leave-pods-running ${shutdown}`,
    ));

  it('ends Pods as it is told to', () =>
    assert.equal(
      flagsOf({ given: [{ name: '--kubelet-arg', value: 'shutdown-grace-period-by-pod-priority=0=5s' }] }),
      '--data-dir /var/lib/kubets --kubelet-arg shutdown-grace-period-by-pod-priority=0=5s --leave-pods-running',
    ));

  it('of a joined node holds no token', () => {
    const given = [
      { name: '--server', value: 'https://10.0.0.1:6443' },
      { name: '--token', value: 'abcdef.0123456789abcdef' },
      { name: '--ca-hash', value: 'sha256:00' },
      { name: '--node-name', value: 'n' },
    ];
    assert.equal(flagsOf({ kind: 'agent', given }), `--data-dir /var/lib/kubets --node-name n --leave-pods-running ${shutdown}`);
  });

  it('has no flags of nodes where there is none', () =>
    assert.equal(flagsOf({ kind: 'server', hasNode: false }), '--data-dir /var/lib/kubets'));

  it('refuses a path that would be relative to nothing', () =>
    assert.throws(() => flagsOf({ given: [{ name: '--kubelet-arg', value: 'pod-manifest-path=./m' }] }), /give an absolute path/));
});

describe('flags of a service', () => {
  it('are read as the command reads them', () => {
    const args = ['--port', '7443', '--kubelet-arg', 'max-pods=50', '--kubelet-arg=eviction-hard=memory.available<5%', '--no-scheduler'];
    const { values, given } = captureFlags('up', addUpCommand, args);
    assert.equal(values['port'], 7443);
    assert.equal(values['scheduler'], false);
    assert.deepEqual(given, [
      { name: '--port', value: '7443' },
      { name: '--kubelet-arg', value: 'max-pods=50' },
      { name: '--kubelet-arg', value: 'eviction-hard=memory.available<5%' },
      { name: '--no-scheduler' },
    ]);
  });

  for (const [name, args, message] of [
    ['unknown ones', ['--nosuch'], /unknown option '--nosuch'/],
    ['values that cannot be', ['--port', 'x'], /a port is a number from 0 to 65535/],
    ['missing values', ['--port'], /argument missing/],
    ['those of others', ['--token', 'x'], /unknown option '--token'/],
    ['arguments', ['what'], /too many arguments/],
  ] as const)
    it(`are refused in the command's words: ${name}`, () => assert.throws(() => captureFlags('up', addUpCommand, args), message));

  it('come from the environment, too', () => {
    process.env['KUBETS_DATA_DIR'] = '/srv/k';
    try {
      assert.deepEqual(captureFlags('agent', addAgentCommand, []).given, [{ name: '--data-dir', value: '/srv/k' }]);
    } finally {
      delete process.env['KUBETS_DATA_DIR'];
    }
  });
});
