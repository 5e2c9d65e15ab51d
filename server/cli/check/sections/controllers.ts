import type { CheckFacts } from '../check-facts.ts';
import { type CheckItem, fail, notApplicable, notJudged, pass, type Verdict } from '../check-item.ts';
import { bySettings } from '../setting-judges.ts';

const noPort =
  (part: string, port: number) =>
  ({ server }: CheckFacts): Verdict => {
    if (!server) return notJudged('no API server answers', 'start kubets and check again');
    return server.openComponentPorts.includes(port)
      ? fail(
          `port ${port} takes connections: another ${part} runs on this machine`,
          `find out what listens there: ss -ltnp 'sport = :${port}'`,
        )
      : pass(`the ${part} is a part of the process of the API server and has no port of its own`, {
          evidence: [`port ${port}: nothing listens`],
        });
  };

const needsController = (name: string, why: string): CheckItem['judge'] =>
  bySettings(({ controllers }) =>
    isEnabled(name, controllers) ? pass(why) : fail(`the controller ${name} does not run`, `add ${name} to --controllers`),
  );

/** Whether a controller is enabled by the patterns of --controllers. */
function isEnabled(name: string, patterns: readonly string[]): boolean {
  return patterns.includes(name) || (patterns.includes('*') && !patterns.includes(`-${name}`));
}

/** Sections 1.3 and 1.4. */
export const controllersAndScheduler: readonly CheckItem[] = [
  {
    ...{ id: '1.3.1', title: 'Finished Pods are removed when there are many' },
    judge: needsController('pod-garbage-collector-controller', 'finished Pods above 12,500 are removed, as upstream does by default'),
  },
  { id: '1.3.2', title: 'The controller manager serves no profiles', judge: noPort('controller manager', 10257) },
  {
    ...{ id: '1.3.3', title: 'Every controller has a ServiceAccount of its own' },
    judge: bySettings(() =>
      pass('each controller calls the API as system:serviceaccount:kube-system:<its name>, with the rights of that account alone'),
    ),
  },
  {
    ...{ id: '1.3.4', title: 'Tokens are signed with a key for that purpose' },
    judge: (facts) => {
      if (!facts.hasControlPlane) return notApplicable('this data directory has no control plane');
      return facts.files.some(({ path }) => path.endsWith('/sa.key'))
        ? pass('sa.key signs tokens of ServiceAccounts, and nothing else', { evidence: [`${facts.dataDirectory}/pki/sa.key`] })
        : fail('sa.key is missing', `restore ${facts.dataDirectory}/pki from a backup`);
    },
  },
  {
    ...{ id: '1.3.5', title: 'Pods are given the authority of the API server' },
    judge: needsController(
      'root-ca-certificate-publisher-controller',
      'the ConfigMap kube-root-ca.crt is in every namespace, and in every token volume',
    ),
  },
  {
    ...{ id: '1.3.6', title: 'Certificates that kubelets serve with are renewed' },
    judge: needsController(
      'kubelet-serving-approving-controller',
      'requests of nodes for certificates of their own addresses are approved',
    ),
  },
  { id: '1.3.7', title: 'The controller manager listens on loopback alone', judge: noPort('controller manager', 10257) },
  { id: '1.4.1', title: 'The scheduler serves no profiles', judge: noPort('scheduler', 10259) },
  { id: '1.4.2', title: 'The scheduler listens on loopback alone', judge: noPort('scheduler', 10259) },
];
