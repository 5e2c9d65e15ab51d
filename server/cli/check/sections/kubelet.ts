import type { CheckFacts, NodeFacts } from '../check-facts.ts';
import { type CheckItem, fail, manual, notApplicable, notJudged, pass, type Verdict, warn } from '../check-item.ts';
import { judgeTLS } from '../setting-judges.ts';

/** Judges one node: undefined if it is in order, or the problem. */
type JudgeNode = (node: NodeFacts) => { readonly problem?: string; readonly evidence?: string };

interface NodeControl {
  readonly why: string;
  readonly advice: string;
  /** Absent: FAIL. */
  readonly otherwise?: 'WARN';
  /** The fact about a node without which it is not judged. */
  readonly needs: keyof NodeFacts;
  readonly judge: JudgeNode;
}

const noNodes = notApplicable('the cluster has no node yet');

/** Judges every node that answers; other nodes are reported as not judged. */
function ofNodes({ why, advice, otherwise, needs, judge }: NodeControl): CheckItem['judge'] {
  return ({ nodes, server }: CheckFacts): Verdict => {
    if (nodes.length === 0 && server) return noNodes;
    const known = nodes.filter((node) => node[needs] !== undefined);
    const silent = nodes.filter((node) => node[needs] === undefined).map(({ name, problem }) => `${name}: ${problem ?? 'does not answer'}`);
    if (known.length === 0) return notJudged(silent.join('; ') || 'no node is known', 'start the node and check again');
    const judged = known.map((node) => ({ name: node.name, ...judge(node) }));
    const wrong = judged.filter(({ problem }) => problem !== undefined);
    const evidence = [
      ...(wrong.length > 0
        ? wrong.map(({ name, problem }) => `${name}: ${problem}`)
        : judged.map(({ name, evidence: found }) => `${name}: ${found ?? 'yes'}`)),
      ...silent,
    ];
    if (wrong.length > 0) return (otherwise === 'WARN' ? warn : fail)(`does not hold on every node: ${why}`, advice, { evidence });
    return silent.length > 0
      ? warn(`so far as nodes answer: ${why}`, 'start the others and check again', { evidence, isJudged: false })
      : pass(why, { evidence });
  };
}

type Configuration = Readonly<Record<string, unknown>>;

function fieldOf(configuration: Configuration | undefined, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Configuration | undefined)?.[name], configuration);
}

const byConfiguration = (path: string, isRight: (value: unknown) => boolean, control: Pick<NodeControl, 'why' | 'advice' | 'otherwise'>) =>
  ofNodes({
    ...control,
    needs: 'configz',
    judge({ configz }) {
      const text = `${path}: ${JSON.stringify(fieldOf(configz, path))}`;
      return isRight(fieldOf(configz, path)) ? { evidence: text } : { problem: text };
    },
  });

const closedPort = (port: number, control: Pick<NodeControl, 'why' | 'advice'>) =>
  ofNodes({
    ...control,
    needs: 'openPorts',
    judge: ({ openPorts }) =>
      openPorts?.includes(port) ? { problem: `port ${port} takes connections` } : { evidence: `port ${port}: nothing listens` },
  });

/** A node asks for its certificates, or the control plane beside it renews the files, which the node follows. */
const isRenewed =
  (field: string, prefix: string): CheckItem['judge'] =>
  (facts) =>
    ofNodes({
      why: 'nodes that have joined ask for new certificates; those beside the control plane follow files that it renews',
      advice: 'let the node join with a token, or renew its files by yourself',
      ...{ needs: 'configz', otherwise: 'WARN' },
      judge({ name, configz }) {
        if (fieldOf(configz, field) === true) return { evidence: `${field}: true` };
        const file = facts.files.find(({ path }) => path.endsWith(`/pki/${prefix}-${name}.crt`))?.path;
        return file === undefined ? { problem: `${field}: false` } : { evidence: `the control plane renews ${file}` };
      },
    })(facts);

const seconds = (value: unknown) => {
  const found = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(String(value ?? ''));
  return found ? Number(found[1] ?? 0) * 3600 + Number(found[2] ?? 0) * 60 + Number(found[3] ?? 0) : 0;
};

/** Sections 4.2 and 4.3. */
export const kubelet: readonly CheckItem[] = [
  {
    ...{ id: '4.2.1', title: 'The kubelet does not serve requests without credentials' },
    judge: ofNodes({
      ...{
        why: 'a request for Pods without credentials is answered 401',
        advice: 'update kubets: there is no flag for it',
        needs: 'anonymousStatus',
      },
      judge: ({ anonymousStatus }) => (anonymousStatus === 401 ? { evidence: '401' } : { problem: `GET /pods: ${anonymousStatus}` }),
    }),
  },
  {
    ...{ id: '4.2.2', title: 'The kubelet asks the API server whether a request is allowed' },
    judge: byConfiguration('authorization.mode', (mode) => mode === 'Webhook', {
      ...{ why: 'each request is a SubjectAccessReview', advice: 'authorization mode Webhook' },
    }),
  },
  {
    ...{ id: '4.2.3', title: 'The kubelet verifies client certificates by an authority' },
    judge: byConfiguration('authentication.x509.clientCAFile', (file) => typeof file === 'string' && file !== '', {
      ...{ why: 'client certificates must be signed by this authority', advice: '--client-ca-file' },
    }),
  },
  {
    ...{ id: '4.2.4', title: 'The kubelet has no read-only port' },
    judge: closedPort(10255, { why: 'kubets has no read-only port', advice: 'find out what listens on port 10255 of that machine' }),
  },
  {
    ...{ id: '4.2.5', title: 'Idle sessions of exec, attach and port-forward are ended' },
    judge: byConfiguration('streamingConnectionIdleTimeout', (value) => seconds(value) > 0, {
      ...{ why: 'idle sessions are ended', advice: '--kubelet-arg streaming-connection-idle-timeout=4h', otherwise: 'WARN' },
    }),
  },
  {
    ...{ id: '4.2.6', title: 'The node keeps the chains of its packet filter' },
    judge: () =>
      notApplicable(
        'kubets writes nftables in tables of its own, and puts them back when others remove them; it uses no chains of iptables',
      ),
  },
  {
    ...{ id: '4.2.7', title: 'The name of the node is that of its host' },
    judge: ({ nodes, server }) =>
      nodes.length === 0 && server
        ? noNodes
        : manual(
            '--node-name may name a node otherwise; its certificate is for the name that it has',
            'see that no two machines have one name',
            {
              evidence: nodes.map(({ name }) => name),
            },
          ),
  },
  {
    ...{ id: '4.2.8', title: 'Events of the kubelet are not lost' },
    judge: byConfiguration('eventRecordQPS', (value) => typeof value === 'number' && value >= 0, {
      ...{ why: '0 is no limit of the rate of Events, which are aggregated', advice: 'update kubets', otherwise: 'WARN' },
    }),
  },
  {
    ...{ id: '4.2.9', title: 'The kubelet serves with a certificate of the cluster' },
    judge: ofNodes({
      ...{
        why: "its certificate is signed by the cluster's authority",
        advice: 'start the node anew',
        needs: 'configz',
        otherwise: 'WARN',
      },
      judge({ configz }) {
        const [file, isIssued] = [fieldOf(configz, 'tlsCertFile'), fieldOf(configz, 'serverTLSBootstrap') === true];
        const text = `tlsCertFile: ${JSON.stringify(file)}, serverTLSBootstrap: ${isIssued}`;
        return isIssued || typeof file === 'string' ? { evidence: text } : { problem: text };
      },
    }),
  },
  {
    ...{ id: '4.2.10', title: "The kubelet's client certificate is renewed" },
    judge: isRenewed('rotateCertificates', 'node'),
  },
  {
    ...{ id: '4.2.11', title: 'The certificate that the kubelet serves with is renewed' },
    judge: isRenewed('serverTLSBootstrap', 'kubelet'),
  },
  {
    ...{ id: '4.2.12', title: 'The kubelet takes strong ciphers alone' },
    judge: ({ nodes, server }) => {
      if (nodes.length === 0 && server) return noNodes;
      const known = nodes.flatMap(({ tls }) => (tls ? [tls] : []));
      const [first] = known;
      const all = first && {
        oldVersions: known.flatMap(({ oldVersions }) => oldVersions),
        weakCiphers: known.flatMap(({ weakCiphers }) => weakCiphers),
      };
      return judgeTLS(all, 'the kubelet', 'update kubets: there is no flag for it');
    },
  },
  {
    ...{ id: '4.2.13', title: 'The number of processes of a Pod is limited' },
    judge: byConfiguration('podPidsLimit', (value) => typeof value === 'number' && value > 0, {
      ...{ why: 'a Pod cannot use up the processes of its machine', advice: '--kubelet-arg pod-max-pids=4096', otherwise: 'WARN' },
    }),
  },
  {
    ...{ id: '4.2.14', title: 'Containers have the seccomp profile of the runtime by default' },
    judge: byConfiguration('seccompDefault', (value) => value === true, {
      ...{ why: 'containers that say nothing have RuntimeDefault', advice: '--kubelet-arg seccomp-default', otherwise: 'WARN' },
    }),
  },
  {
    ...{ id: '4.3.1', title: "kube-proxy's metrics are served on loopback alone" },
    judge: closedPort(10249, {
      why: 'metrics of the Service proxy are served on 127.0.0.1 alone: the address of the node takes no connections at that port',
      advice: 'find out what listens on port 10249 of that machine',
    }),
  },
];
