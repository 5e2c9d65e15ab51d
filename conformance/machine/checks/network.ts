import { waitFor } from '../../framework/wait-for.ts';
import type { CheckContext, CheckTopic } from './check.ts';
import { untilGuestbookAnswers } from '../guest/guestbook.ts';
import { expectEqual, expectMatch } from '../guest/expect.ts';

export const network: CheckTopic = {
  topic: 'network',
  checks: [
    { name: 'a flush of all nft rules is undone at once', run: rulesComeBack },
    { name: 'a restart of systemd-networkd leaves Services and Pods reachable', run: networkdRestarts },
    { name: 'DNS names of Services resolve in a Pod', run: namesResolve },
  ],
};

/** The time within which removed rules and routes must be restored. */
const atOnceSeconds = 5;

async function rulesComeBack(context: CheckContext): Promise<string> {
  const { machine, seconds } = context;
  await untilGuestbookAnswers(context, seconds(10));
  const before = (await machine.succeed('nft list tables')).trim();
  await machine.succeed('nft flush ruleset');
  const took = await untilGuestbookAnswers(context, seconds(atOnceSeconds));
  const after = await waitFor(
    'the tables to be there again',
    async () => {
      const now = (await machine.succeed('nft list tables')).trim();
      const ours = (text: string) =>
        text
          .split('\n')
          .filter((line) => line.includes('kube'))
          .sort()
          .join(', ');
      return ours(now) === ours(before) && ours(now);
    },
    { withinSeconds: seconds(atOnceSeconds), everyMs: 500 },
  );
  return `the NodePort answers after ${took}; ${after}`;
}

async function networkdRestarts(context: CheckContext): Promise<string> {
  const { machine, seconds } = context;
  const routes = async () => (await machine.succeed("ip route | sed 's/ proto .*//' | sort")).trim();
  const before = await routes();
  await machine.succeed('systemctl restart systemd-networkd');
  const took = await untilGuestbookAnswers(context, seconds(atOnceSeconds));
  expectEqual('the routes after the restart', await routes(), before);
  return `the NodePort answers after ${took}, all ${before.split('\n').length} routes are there`;
}

async function namesResolve({ cluster, seconds }: CheckContext): Promise<string> {
  const pod = await cluster.run('-n', 'guestbook', 'get', 'pods', '-l', 'app=front', '-o', 'jsonpath={.items[0].metadata.name}');
  const names = ['redis', 'front.guestbook.svc.cluster.local', 'kubernetes.default.svc.cluster.local'];
  for (const name of names) {
    // Its exit code also tells of the search domains in which there is no such name.
    const { stdout, stderr } = await cluster.kubectl(['-n', 'guestbook', 'exec', pod, '-c', 'nginx', '--', 'nslookup', name], {
      timeoutSeconds: seconds(30),
    });
    expectMatch(`nslookup ${name}`, stdout + stderr, new RegExp(`^Name:\\s+${name.split('.')[0]}\\..*\\nAddress: 10\\.`, 'm'));
  }
  return names.join(', ');
}
