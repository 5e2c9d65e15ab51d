import { waitFor } from '../../framework/wait-for.ts';
import type { CheckContext, CheckTopic } from './check.ts';
import { expectEqual, expectMatch } from '../guest/expect.ts';
import { idle, podManifest } from './pods.ts';

export const security: CheckTopic = {
  topic: 'security',
  checks: [
    { name: "containers run under the runtime's AppArmor profile; Unconfined and Localhost are heeded", run: profilesAreHeeded },
    { name: 'a Pod whose AppArmor profile is not loaded does not start and says so', run: missingProfileIsTold },
    { name: 'a Pod with users of its own runs as another user of the machine, or says that the runtime cannot', run: userNamespaces },
  ],
};

const profileName = 'kubets-machine-test';
const profile = `profile ${profileName} flags=(attach_disconnected) {\n  file,\n  capability,\n  signal,\n  deny /denied w,\n}\n`;

async function profilesAreHeeded({ cluster, machine, seconds }: CheckContext): Promise<string> {
  await machine.succeed('apparmor_parser -r', { input: profile });
  // Debian has profiles in the mode unconfined that the kernel gives to programs by their path, busybox among them.
  const wanted = {
    default: { securityContext: {}, profile: /^cri-containerd\.apparmor\.d \(enforce\)/ },
    unconfined: { securityContext: { appArmorProfile: { type: 'Unconfined' } }, profile: /^(\S+ \()?unconfined\b/ },
    localhost: {
      securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: profileName } },
      profile: new RegExp(`^${profileName} \\(enforce\\)`),
    },
  };
  for (const [name, { securityContext }] of Object.entries(wanted))
    await cluster.apply(podManifest({ name: `profile-${name}`, script: idle, container: { securityContext } }));
  const found: string[] = [];
  for (const [name, { profile: expected }] of Object.entries(wanted)) {
    await cluster.waitForField(`pod/profile-${name}`, '{.status.phase}', /^Running$/, 60);
    const text = await cluster.run('exec', `profile-${name}`, '--', 'cat', '/proc/1/attr/current');
    expectMatch(`the profile of ${name}`, text, expected);
    found.push(text.trim());
  }
  const denied = await cluster.kubectl(['exec', 'profile-localhost', '--', 'sh', '-c', 'echo > /denied'], { timeoutSeconds: seconds(30) });
  expectMatch('what a write against the profile says', denied.stderr, /Permission denied/);
  await cluster.remove(...Object.keys(wanted).map((name) => `pod/profile-${name}`));
  return found.join(', ');
}

async function missingProfileIsTold({ cluster }: CheckContext): Promise<string> {
  const securityContext = { appArmorProfile: { type: 'Localhost', localhostProfile: 'no-such-profile' } };
  await cluster.apply(podManifest({ name: 'profile-missing', script: idle, container: { securityContext } }));
  const message = await cluster.waitForField('pod/profile-missing', '{.status.containerStatuses[0].state.waiting.message}', /profile/, 60);
  await cluster.remove('pod/profile-missing');
  return message;
}

async function userNamespaces({ cluster, machine, seconds }: CheckContext): Promise<string> {
  const handlers = await cluster.field('node/node1', '{.status.runtimeHandlers[*].features.userNamespaces}');
  await cluster.apply(podManifest({ name: 'own-users', script: idle, spec: { hostUsers: false } }));
  const version = (await machine.succeed('containerd --version')).trim().split(' ')[2] ?? '';
  if (!handlers.includes('true')) {
    const events = await waitFor(
      'an event that says that the runtime has no user namespaces',
      async () => {
        const text = await cluster.run(
          'get',
          'events',
          '--field-selector',
          'involvedObject.name=own-users',
          '-o',
          'jsonpath={.items[*].message}',
        );
        return /user namespace/i.test(text) && text;
      },
      { withinSeconds: seconds(30), everyMs: 1000 },
    );
    await cluster.remove('pod/own-users');
    return `containerd ${version} has none: ${events}`;
  }
  await cluster.waitForField('pod/own-users', '{.status.phase}', /^Running$/, 60);
  const inside = await cluster.run('exec', 'own-users', '--', 'sh', '-c', 'id -u; cat /proc/self/uid_map');
  const [user, first = ''] = inside.trim().split('\n');
  expectEqual('the user in the container', user, 0);
  expectMatch('the map of users', first, /^\s*0\s+[1-9]\d{4,}\s+65536$/);
  await cluster.remove('pod/own-users');
  return `containerd ${version}: ${first.trim()}`;
}
