/** A command line, run in a namespace after the commands before it, with its expected output. */
export interface CommandCase {
  /** Without `kubectl` and `--namespace`; an argument in single quotes may hold spaces. */
  readonly args: string;
  readonly input?: string;
  /** 0 if absent. */
  readonly code?: number;
  /** Standard output and standard error together. */
  readonly output: RegExp | readonly RegExp[];
  readonly not?: RegExp;
  /** Asked again until then, where a controller has to do its work first. */
  readonly withinSeconds?: number;
}

const webYAML = (replicas: number, image = 'nginx:1.26') => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: applied
spec:
  replicas: ${replicas}
  selector:
    matchLabels: {app: applied}
  template:
    metadata:
      labels: {app: applied}
    spec:
      containers:
        - name: nginx
          image: ${image}
`;

const discovering: readonly CommandCase[] = [
  { args: 'version', output: [/^Client Version: v1\./m, /^Server Version: v1\.36\./m] },
  {
    args: 'api-versions',
    output: [/^v1$/m, /^apps\/v1$/m, /^rbac\.authorization\.k8s\.io\/v1$/m],
    not: /^(?!metrics\.k8s\.io).*(beta|alpha)/m,
  },
  { args: 'api-resources --namespaced=false', output: [/^namespaces +ns +v1 +false +Namespace$/m, /^nodes +no +v1/m] },
  {
    args: 'api-resources --api-group=apps -o name',
    output: /^controllerrevisions\.apps\ndaemonsets\.apps\ndeployments\.apps\nreplicasets\.apps\nstatefulsets\.apps\n$/,
  },
  {
    args: 'explain pod.spec.containers',
    output: [
      /^KIND: +Pod$/m,
      /^FIELD: containers <\[\]Container>$/m,
      /^ {2}imagePullPolicy\t<string>$/m,
      /^ {2}name\t<string> -required-$/m,
    ],
  },
  { args: 'explain deployment.spec.strategy.rollingUpdate --recursive', output: [/^GROUP: +apps$/m, /^ {2}maxSurge\t<IntOrString>$/m] },
  { args: 'explain pod.spec.nonsense', code: 1, output: /field "nonsense" does not exist/ },
  { args: 'cluster-info', output: /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:/ },
  { args: 'get --raw /readyz?verbose', output: [/^\[\+\]etcd ok$/m, /^readyz check passed$/m] },
  { args: 'get --raw /version', output: /"minor": "36"/ },
  { args: 'auth whoami', output: [/^Username +kubernetes-admin$/m, /system:masters/] },
  { args: 'auth can-i create deployments', output: /^yes$/m },
];

const creating: readonly CommandCase[] = [
  { args: 'create configmap settings --from-literal=a=b --from-literal=c=before', output: /^configmap\/settings created$/m },
  { args: 'create configmap settings --from-literal=a=b', code: 1, output: /configmaps "settings" already exists/ },
  { args: 'create secret generic password --from-literal=p=open-sesame', output: /^secret\/password created$/m },
  { args: 'create deployment web --image=nginx:1.26 --replicas=2 --port=80', output: /^deployment\.apps\/web created$/m },
  { args: 'expose deployment web --port=80 --target-port=80', output: /^service\/web exposed$/m },
  { args: 'create service nodeport door --tcp=80:80', output: /^service\/door created$/m },
  { args: 'create job once --image=busybox:1.37 -- true', output: /^job\.batch\/once created$/m },
  { args: "create cronjob rarely --image=busybox:1.37 '--schedule=59 23 29 2 *' -- true", output: /^cronjob\.batch\/rarely created$/m },
  { args: 'create serviceaccount robot', output: /^serviceaccount\/robot created$/m },
  { args: 'create role reader --verb=get,list --resource=pods', output: /^role\.rbac\.authorization\.k8s\.io\/reader created$/m },
  {
    args: 'create rolebinding robots-read --role=reader --serviceaccount=kubectl-x:robot',
    output: /rolebinding\.rbac\.authorization\.k8s\.io\/robots-read created/,
  },
  { args: 'create quota small --hard=configmaps=100', output: /^resourcequota\/small created$/m },
  {
    args: 'create poddisruptionbudget careful --selector=app=web --min-available=1',
    output: /^poddisruptionbudget\.policy\/careful created$/m,
  },
  { args: 'create ingress way --rule=example.com/path=web:80', output: /^ingress\.networking\.k8s\.io\/way created$/m },
  { args: 'create token robot', output: /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/m },
  { args: 'run lonely --image=busybox:1.37 --restart=Never --labels=x=before -- sleep 60', output: /^pod\/lonely created$/m },
  { args: 'run dry --image=busybox:1.37 --dry-run=server -o name', output: /^pod\/dry$/m },
  { args: 'get pod dry', code: 1, output: /pods "dry" not found/ },
  {
    args: 'create -f -',
    input: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"made-up-"}}',
    output: /^configmap\/made-up-[bcdfghjklmnpqrstvwxz2456789]{5} created$/m,
  },
  {
    args: 'create -f -',
    code: 1,
    input: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: strict}\nunknown: 1\n',
    output: /strict decoding error: unknown field "unknown"/,
  },
  {
    args: 'create --validate=false -f -',
    code: 1,
    input: 'apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n',
    output: /no matches for kind "Nonsense" in version "v1"/,
  },
  {
    args: 'create -f -',
    code: 1,
    input:
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bad}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: c, image: i}]}}}\n',
    output:
      /The Deployment "bad" is invalid: spec\.template\.metadata\.labels: Invalid value: .*: `selector` does not match template `labels`/,
  },
];

const reading: readonly CommandCase[] = [
  { args: 'get deployments', withinSeconds: 10, output: [/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE$/m, /^web +0\/2 +2 +0 +\d+s$/m] },
  { args: 'get deployment web -o wide', output: [/CONTAINERS +IMAGES +SELECTOR$/m, /nginx +nginx:1\.26 +app=web$/m] },
  { args: 'get pods -l app=web --no-headers', withinSeconds: 10, output: /^(web-[a-z0-9]+-[a-z0-9]{5} +0\/1 +Pending +0 +\d+s\n){2}$/ },
  { args: 'get pods -l app=web -o wide', output: /NOMINATED NODE +READINESS GATES/ },
  {
    args: 'get replicasets,services',
    output: [
      /^replicaset\.apps\/web-[a-z0-9]+ +2 +2 +0 /m,
      /^service\/web +ClusterIP +10\.\d+\.\d+\.\d+ +<none> +80\/TCP /m,
      /^service\/door +NodePort +10\.\d+\.\d+\.\d+ +<none> +80:3\d{4}\/TCP /m,
    ],
  },
  { args: 'get all', output: [/^pod\/lonely/m, /^deployment\.apps\/web/m, /^job\.batch\/once/m, /^cronjob\.batch\/rarely/m] },
  { args: 'get configmap settings -o yaml', output: [/^ {2}a: b$/m, /^ {2}uid: [0-9a-f-]{36}$/m], not: /managedFields/ },
  { args: 'get configmap settings -o yaml --show-managed-fields', output: /manager: kubectl-create/ },
  { args: 'get configmap settings -o json', output: /"resourceVersion": "\d+"/ },
  { args: 'get configmap settings -o jsonpath={.data.c}', output: /^before$/ },
  { args: 'get secret password -o go-template={{.data.p|base64decode}}', output: /^open-sesame$/ },
  { args: 'get secret password', output: /^password +Opaque +1 +\d+s$/m },
  { args: 'get pods -o custom-columns=NAME:.metadata.name,PHASE:.status.phase', output: /^lonely +Pending$/m },
  { args: 'get pods --sort-by=.metadata.name -o name', output: /^(?=pod\/lonely\n)(?=[^]*pod\/web)/ },
  { args: 'get pods --field-selector=metadata.name=lonely -o name', output: /^pod\/lonely\n$/ },
  { args: 'get pods --field-selector=status.phase=Running', output: /^No resources found in kubectl-/m },
  { args: 'get pods --show-labels -l x=before', output: /lonely .* x=before$/m },
  { args: 'get configmaps --chunk-size=1 -o name', output: [/^configmap\/settings$/m, /^configmap\/kube-root-ca\.crt$/m] },
  {
    args: 'get jobs,cronjobs',
    output: [/^job\.batch\/once +Running +0\/1 /m, /^cronjob\.batch\/rarely +59 23 29 2 \* +<none> +False +0 +<none> /m],
  },
  {
    args: 'get quota,pdb,ingress,serviceaccount',
    output: [
      /^resourcequota\/small /m,
      /^poddisruptionbudget\.policy\/careful +1 +N\/A /m,
      /^ingress\.networking\.k8s\.io\/way +<none> +example\.com +80 /m,
      /^serviceaccount\/robot /m,
    ],
  },
  { args: 'get endpointslices', output: /^web-\w+ +IPv4 +<unset> +<unset> /m, withinSeconds: 5 },
  { args: 'get nodes', output: /^No resources found$/m },
  { args: 'get nonsense', code: 1, output: /the server doesn't have a resource type "nonsense"/ },
  { args: 'get clusterrole cluster-admin -o jsonpath={.rules[0].verbs}', output: /^\["\*"\]$/ },
  { args: 'get namespaces', output: [/^default +Active /m, /^kube-system +Active /m] },
  {
    args: 'describe deployment web',
    output: [
      /^Replicas: +2 desired \| 2 updated \| 2 total \| 0 available \| 2 unavailable$/m,
      /ScalingReplicaSet/,
      /^NewReplicaSet: +web-[a-z0-9]+ \(2\/2 replicas created\)$/m,
    ],
  },
  {
    args: 'describe pod lonely',
    withinSeconds: 10,
    output: [/^QoS Class: +BestEffort$/m, /Warning +FailedScheduling .* no nodes available to schedule pods/, /kube-api-access-\w{5}/],
  },
  { args: 'describe service web', output: [/^Type: +ClusterIP$/m, /^IP: +10\./m] },
  { args: 'describe secret password', output: /^p: +11 bytes$/m },
  { args: 'describe namespace', output: /^No LimitRange resource\.$/m },
  { args: 'events --for pod/lonely', output: /FailedScheduling +Pod\/lonely/ },
  {
    args: 'get events --field-selector=involvedObject.name=web,reason=ScalingReplicaSet',
    output: /Scaled up replica set web-[a-z0-9]+ from 0 to 2$/m,
  },
];

const changing: readonly CommandCase[] = [
  { args: 'label pod lonely color=red', output: /^pod\/lonely labeled$/m },
  { args: 'label pod lonely color=blue', code: 1, output: /'color' already has a value \(red\), and --overwrite is false/ },
  { args: 'annotate deployment web note=hello', output: /^deployment\.apps\/web annotated$/m },
  { args: 'patch configmap settings --type=merge -p {"data":{"a":"merged"}}', output: /^configmap\/settings patched$/m },
  {
    args: 'patch configmap settings --type=json -p [{"op":"replace","path":"/data/a","value":"json"}]',
    output: /^configmap\/settings patched$/m,
  },
  {
    args: 'patch configmap settings --type=json -p [{"op":"test","path":"/data/a","value":"other"}]',
    code: 1,
    output: /[Tt]he server rejected our request|testing value .* failed|The request is invalid/,
  },
  {
    args: 'patch deployment web -p {"spec":{"template":{"spec":{"containers":[{"name":"nginx","env":[{"name":"A","value":"B"}]}]}}}}',
    output: /^deployment\.apps\/web patched$/m,
  },
  { args: 'edit configmap settings', output: /^configmap\/settings edited$/m },
  { args: 'get configmap settings -o jsonpath={.data}', output: /^\{"a":"json","c":"after"\}$/ },
  { args: 'scale deployment web --replicas=3 --current-replicas=2', output: /^deployment\.apps\/web scaled$/m },
  { args: 'scale deployment web --replicas=3 --current-replicas=2', code: 1, output: /[Ee]xpected replicas to be 2, was 3/ },
  { args: 'autoscale deployment web --min=1 --max=3', output: /^horizontalpodautoscaler\.autoscaling\/web autoscaled$/m },
  { args: 'set image deployment/web nginx=nginx:1.27', output: /^deployment\.apps\/web image updated$/m },
  { args: 'set env deployment/web COLOR=green', output: /^deployment\.apps\/web env updated$/m },
  { args: 'set resources deployment/web --limits=cpu=100m,memory=64Mi', output: /^deployment\.apps\/web resource requirements updated$/m },
  { args: 'rollout history deployment/web', withinSeconds: 10, output: [/^REVISION +CHANGE-CAUSE$/m, /^5 +<none>$/m] },
  { args: 'rollout history deployment/web --revision=3', output: /Image:\s+nginx:1\.27/ },
  { args: 'rollout undo deployment/web --to-revision=1', output: /^deployment\.apps\/web rolled back$/m },
  { args: 'get deployment web -o jsonpath={.spec.template.spec.containers[0].image}', output: /^nginx:1\.26$/ },
  { args: 'rollout pause deployment/web', output: /^deployment\.apps\/web paused$/m },
  { args: 'rollout resume deployment/web', output: /^deployment\.apps\/web resumed$/m },
  { args: 'rollout restart deployment/web', output: /^deployment\.apps\/web restarted$/m },
  {
    args: 'rollout status deployment/web --timeout=1s',
    code: 1,
    output: [/Waiting for deployment "web" rollout to finish/, /timed out waiting for the condition/],
  },
  { args: 'wait --for=condition=Progressing deployment/web --timeout=10s', output: /^deployment\.apps\/web condition met$/m },
  { args: 'wait --for=jsonpath={.spec.replicas}=3 deployment/web --timeout=10s', output: /^deployment\.apps\/web condition met$/m },
  {
    args: 'wait --for=condition=Available deployment/web --timeout=1s',
    code: 1,
    output: /timed out waiting for the condition on deployments\/web/,
  },
];

const applying: readonly CommandCase[] = [
  { args: 'apply -f -', input: webYAML(1), output: /^deployment\.apps\/applied created$/m },
  { args: 'apply -f -', input: webYAML(1), output: /^deployment\.apps\/applied unchanged$/m },
  { args: 'diff -f -', input: webYAML(2), code: 1, output: [/^-\s+replicas: 1$/m, /^\+\s+replicas: 2$/m] },
  { args: 'apply -f -', input: webYAML(2), output: /^deployment\.apps\/applied configured$/m },
  { args: 'diff -f -', input: webYAML(2), output: /^$/ },
  { args: 'apply --dry-run=server -f -', input: webYAML(3), output: /^deployment\.apps\/applied configured \(server dry run\)$/m },
  { args: 'apply view-last-applied deployment/applied', output: /^ {2}replicas: 2$/m },
  { args: 'apply --server-side -f -', input: webYAML(2, 'nginx:1.27'), output: /^deployment\.apps\/applied serverside-applied$/m },
  {
    args: 'apply --server-side --field-manager=other -f -',
    input: webYAML(5),
    code: 1,
    output: [/Apply failed with [0-9]+ conflicts?/, /conflicts? with "kubectl/, /\.spec\.replicas/],
  },
  {
    args: 'apply --server-side --field-manager=other --force-conflicts -f -',
    input: webYAML(5),
    output: /^deployment\.apps\/applied serverside-applied$/m,
  },
  { args: 'get deployment applied -o jsonpath={.spec.replicas}', output: /^5$/ },
  {
    args: 'replace -f -',
    input: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"replaced":"yes"}}',
    output: /^configmap\/settings replaced$/m,
  },
  {
    args: 'replace --force -f -',
    input: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"replaced":"twice"}}',
    output: /configmap\/settings replaced/,
  },
  { args: 'get configmap settings -o jsonpath={.data}', output: /^\{"replaced":"twice"\}$/ },
];

const deleting: readonly CommandCase[] = [
  { args: 'delete configmap settings', output: /^configmap "settings" deleted/m },
  { args: 'delete configmap settings', code: 1, output: /configmaps "settings" not found/ },
  { args: 'delete configmap settings --ignore-not-found', output: /^$/ },
  { args: 'delete pod lonely --grace-period=0 --force', output: /pod "lonely" force deleted/ },
  { args: 'delete deployment applied --cascade=foreground', output: /^deployment\.apps "applied" deleted/m },
  { args: 'get replicasets -l app=applied', output: /^No resources found/m },
  { args: 'delete deployment web --cascade=orphan', output: /^deployment\.apps "web" deleted/m },
  { args: 'get replicasets -l app=web -o jsonpath={.items[*].metadata.ownerReferences}', output: /^$/ },
  { args: 'delete replicasets,pods -l app=web', output: /replicaset\.apps "web-[a-z0-9]+" deleted/ },
  { args: 'delete all --all', output: [/^service "web" deleted/m, /^service "door" deleted/m, /^job\.batch "once" deleted/m] },
];

/** In order: later commands use objects of earlier ones. */
export const kubectlCases: readonly CommandCase[] = [...discovering, ...creating, ...reading, ...changing, ...applying, ...deleting];
