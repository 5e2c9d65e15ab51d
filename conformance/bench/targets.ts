import path from 'node:path';

/** A cluster to measure: a running one, or a command that starts one. */
export type Target =
  | {
      readonly kind: 'running';
      readonly name: string;
      readonly kubeconfig: string;
      /** The server's process, whose memory and processor time are shown; found by its port if it is on this machine. */
      readonly pid?: number;
      /** The process that stores for it. */
      readonly storePid?: number;
    }
  | { readonly kind: 'started'; readonly name: string; readonly command: string };

/** `name=KUBECONFIG[,pid=N][,store-pid=N]` */
export function parseRunningTarget(text: string): Target {
  const at = text.indexOf('=');
  const [kubeconfig = '', ...settings] = text.slice(at + 1).split(',');
  if (at < 1 || kubeconfig === '') throw new Error(`'${text}' is not name=KUBECONFIG[,pid=N][,store-pid=N]`);
  const pids = settings.map((setting) => {
    const [, key, pid] = /^(pid|store-pid)=(\d+)$/.exec(setting) ?? [];
    if (key === undefined) throw new Error(`'${setting}' is neither pid=N nor store-pid=N`);
    return [key === 'pid' ? 'pid' : 'storePid', Number(pid)] as const;
  });
  return { kind: 'running', name: text.slice(0, at), kubeconfig: path.resolve(kubeconfig), ...Object.fromEntries(pids) };
}

const kubets = 'exec "$NODE" --max-semi-space-size=16 "$KUBETS" server --controllers= --no-scheduler --data-dir "$DIR" --port "$PORT"';

/** The kube-apiserver of the PATH with the flags that kubeadm gives it. */
const kubeAPIServer = `exec kube-apiserver \
--secure-port="$PORT" --etcd-servers="$ETCD" --allow-privileged=true --authorization-mode=Node,RBAC \
--client-ca-file="$PKI/ca.crt" --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
--enable-admission-plugins=NodeRestriction --enable-bootstrap-token-auth=true --service-cluster-ip-range=10.96.0.0/12 \
--kubelet-client-certificate="$PKI/apiserver-kubelet-client.crt" --kubelet-client-key="$PKI/apiserver-kubelet-client.key" \
--proxy-client-cert-file="$PKI/front-proxy-client.crt" --proxy-client-key-file="$PKI/front-proxy-client.key" \
--requestheader-client-ca-file="$PKI/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
--requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
--requestheader-extra-headers-prefix=X-Remote-Extra- --service-account-issuer=https://kubernetes.default.svc.cluster.local \
--service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key"`;

/** Commands with names. They start the API server alone: nothing else works on the bench's objects. */
export const knownCommands: Readonly<Record<string, string>> = {
  kubets,
  'kubets-etcd': `${kubets} --storage "etcd=$ETCD"`,
  'kubets-memory': `${kubets} --storage memory`,
  'kube-apiserver': kubeAPIServer,
};

/** `name=COMMAND`, or the name of a known command. */
export function parseStartedTarget(text: string): Target {
  const at = text.indexOf('=');
  const known = knownCommands[text];
  if (known !== undefined) return { kind: 'started', name: text, command: known };
  if (at < 1) throw new Error(`'${text}' is neither name=COMMAND nor one of ${Object.keys(knownCommands).join(', ')}`);
  return { kind: 'started', name: text.slice(0, at), command: text.slice(at + 1) };
}
