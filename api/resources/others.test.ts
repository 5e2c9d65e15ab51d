import assert from 'node:assert/strict';
import type { KubeObject } from '../meta/object.ts';
import { created, createErrors, row, updateErrors } from './testing/strategy.ts';
import { validatingAdmissionPolicies } from './admissionregistration/v1/validating-admission-policy.ts';
import { validatingWebhookConfigurations } from './admissionregistration/v1/validating-webhook-configuration.ts';
import { customResourceDefinitions } from './apiextensions/v1/custom-resource-definition.ts';
import { apiServices } from './apiregistration/v1/api-service.ts';
import { horizontalPodAutoscalers as hpaV1 } from './autoscaling/v1/horizontal-pod-autoscaler.ts';
import { horizontalPodAutoscalers } from './autoscaling/v2/horizontal-pod-autoscaler.ts';
import { certificateSigningRequests } from './certificates/v1/certificate-signing-request.ts';
import { leases } from './coordination/v1/lease.ts';
import { events as coreEvents } from './core/v1/event.ts';
import { endpointSlices } from './discovery/v1/endpoint-slice.ts';
import { events } from './events/v1/event.ts';
import { flowSchemas } from './flowcontrol/v1/flow-schema.ts';
import { priorityLevelConfigurations } from './flowcontrol/v1/priority-level-configuration.ts';
import { ingresses } from './networking/v1/ingress.ts';
import { ipAddresses } from './networking/v1/ip-address.ts';
import { networkPolicies } from './networking/v1/network-policy.ts';
import { serviceCIDRs } from './networking/v1/service-cidr.ts';
import { podDisruptionBudgets } from './policy/v1/pod-disruption-budget.ts';
import { clusterRoleBindings } from './rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from './rbac/v1/cluster-role.ts';
import { roleBindings } from './rbac/v1/role-binding.ts';
import { roles } from './rbac/v1/role.ts';
import { resourceClaims } from './resource/v1/resource-claim.ts';
import { priorityClasses } from './scheduling/v1/priority-class.ts';
import { storageClasses } from './storage/v1/storage-class.ts';
import { volumeAttributesClasses } from './storage/v1/volume-attributes-class.ts';

const metadata = { name: 'x', namespace: 'default' };
const cluster = { name: 'x' };

describe('rbac', () => {
  it('rules', () =>
    assert.deepEqual(createErrors(roles, { metadata, rules: [{ verbs: [] }, { verbs: ['get'], nonResourceURLs: ['/x'] }] }), [
      'rules[0].verbs: Required value: verbs must contain at least one value',
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
      'rules[1].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    ]));
  it('names may hold colons', () => assert.deepEqual(createErrors(clusterRoles, { metadata: { name: 'system:node' }, rules: [] }), []));
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' };
  it('bindings', () => {
    assert.deepEqual(createErrors(roleBindings, { metadata, roleRef, subjects: [{ kind: 'User', name: 'u' }] }), []);
    assert.deepEqual(
      createErrors(clusterRoleBindings, {
        metadata: cluster,
        roleRef,
        subjects: [
          { kind: 'ServiceAccount', name: 's' },
          { kind: 'Robot', name: 'r' },
        ],
      }),
      [
        'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
        'subjects[0].namespace: Required value',
        'subjects[1].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
      ],
    );
    assert.deepEqual(updateErrors(roleBindings, { metadata, roleRef }, { metadata, roleRef: { ...roleRef, name: 's' } }), [
      'roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"s"}: cannot change roleRef',
    ]);
    const subjects = [
      { kind: 'User', name: 'u' },
      { kind: 'User', name: 'v' },
      { kind: 'ServiceAccount', name: 's', namespace: 'n' },
    ];
    assert.equal(
      row(roleBindings, { metadata, roleRef, subjects }),
      'Name=x Role=Role/r Age=<unknown> Users=u, v Groups= ServiceAccounts=n/s',
    );
  });
});

describe('networking', () => {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  it('ingresses', () => {
    const rules = [{ host: 'a.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }];
    assert.deepEqual(createErrors(ingresses, { metadata, spec: { rules } }), []);
    assert.deepEqual(createErrors(ingresses, { metadata, spec: {} }), [
      'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
    ]);
    const broken = [{ host: '10.0.0.1', http: { paths: [{ path: 'x', pathType: 'Exact', backend: {} }, { backend }] } }];
    assert.deepEqual(createErrors(ingresses, { metadata, spec: { rules: broken } }), [
      'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
      'spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path',
      'spec.rules[0].http.paths[0].backend: Invalid value: "": resource or service backend is required',
      'spec.rules[0].http.paths[1].pathType: Required value: pathType must be specified',
    ]);
    const status = { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } };
    assert.equal(
      row(ingresses, { metadata, spec: { rules, tls: [{}] }, status }),
      'Name=x Class=<none> Hosts=a.example Address=10.0.0.1 Ports=80, 443 Age=<unknown>',
    );
  });
  it('network policies', () => {
    const peers = [{}, { ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16', '10.1.0.0/16'] } }];
    assert.deepEqual(
      createErrors(networkPolicies, {
        metadata,
        spec: { podSelector: {}, ingress: [{ from: peers, ports: [{ port: 80, endPort: 70 }] }] },
      }),
      [
        'spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`',
        'spec.ingress[0].from[0]: Required value: must specify a peer',
        'spec.ingress[0].from[1].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
      ],
    );
  });
  it('addresses and ranges', () => {
    const spec = { parentRef: { resource: 'services', namespace: 'a', name: 'b' } };
    assert.deepEqual(createErrors(ipAddresses, { metadata: { name: '10.0.0.1' }, spec }), []);
    assert.match(
      createErrors(ipAddresses, { metadata: cluster, spec })[0] ?? '',
      /^metadata\.name: Invalid value: "x": must be a valid IP address/,
    );
    assert.equal(row(ipAddresses, { metadata: { name: '10.0.0.1' }, spec }), 'Name=10.0.0.1 ParentRef=services/a/b');
    assert.deepEqual(createErrors(serviceCIDRs, { metadata: cluster, spec: {} }), [
      'spec.cidrs: Required value: at least one CIDR required',
    ]);
  });
  it('endpoint slices', () => {
    const slice = { metadata, addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 80 }] };
    assert.deepEqual(createErrors(endpointSlices, slice), []);
    assert.deepEqual(createErrors(endpointSlices, { ...slice, endpoints: [{ addresses: ['::1'] }, { addresses: [] }] }), [
      'endpoints[0].addresses[0]: Invalid value: "::1": must be a valid IPv4 address',
      'endpoints[0].addresses[0]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'endpoints[1].addresses: Required value: must contain at least 1 address',
    ]);
    assert.equal(row(endpointSlices, slice), 'Name=x AddressType=IPv4 Ports=80 Endpoints=10.0.0.1 Age=<unknown>');
    assert.equal(
      row(endpointSlices, { ...slice, endpoints: null, ports: null }),
      'Name=x AddressType=IPv4 Ports=<unset> Endpoints=<unset> Age=<unknown>',
    );
  });
});

describe('autoscaling', () => {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } };
  const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } };
  const custom = { type: 'Pods', pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } } };
  const behavior = { scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } };
  const stored = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: { scaleTargetRef, maxReplicas: 3, metrics: [memory, custom, cpu], behavior },
  };
  it('rules', () => {
    assert.deepEqual(createErrors(horizontalPodAutoscalers, { metadata, spec: { scaleTargetRef, maxReplicas: 3 } }), []);
    assert.deepEqual(
      createErrors(horizontalPodAutoscalers, {
        metadata,
        spec: { scaleTargetRef: { kind: 'Deployment' }, maxReplicas: 0, metrics: [{ type: 'Resource' }] },
      }),
      [
        'spec.maxReplicas: Invalid value: 0: must be greater than 0',
        'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
        'spec.scaleTargetRef.name: Required value',
        'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
        'spec.metrics[0].resource: Required value: must populate information for the given metric source',
      ],
    );
  });
  it('version 1 keeps in annotations what it has no fields for', () => {
    const old = hpaV1.convert?.fromStorage(structuredClone(stored) as KubeObject);
    assert.equal(old?.spec?.targetCPUUtilizationPercentage, 70);
    assert.deepEqual(Object.keys(old?.metadata.annotations ?? {}).sort(), [
      'autoscaling.alpha.kubernetes.io/behavior',
      'autoscaling.alpha.kubernetes.io/metrics',
    ]);
    assert.ok(old);
    assert.equal(
      old.metadata.annotations?.['autoscaling.alpha.kubernetes.io/behavior'],
      '{"ScaleUp":{"StabilizationWindowSeconds":null,"SelectPolicy":null,"Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":60}],"Tolerance":null},"ScaleDown":null}',
    );
    const { status: _status, ...back } = { status: {}, ...hpaV1.convert?.toStorage(old) };
    assert.deepEqual(back, stored);
  });
  it('metrics of containers are written in the order of v1', () => {
    const target = { type: 'AverageValue', averageValue: '1Gi' };
    const metrics = [{ type: 'ContainerResource', containerResource: { name: 'memory', container: 'c', target } }];
    const old = hpaV1.convert?.fromStorage({ ...stored, spec: { scaleTargetRef, maxReplicas: 3, metrics } } as KubeObject);
    assert.equal(
      old?.metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics'],
      '[{"type":"ContainerResource","containerResource":{"name":"memory","targetAverageValue":"1Gi","container":"c"}}]',
    );
  });
  it('rows of both versions', () => {
    const status = {
      currentReplicas: 2,
      desiredReplicas: 2,
      currentMetrics: [{ type: 'Resource', resource: { name: 'memory', current: { averageValue: '500Mi' } } }],
    };
    const expected =
      'Name=x Reference=Deployment/web Targets=memory: 500Mi/1Gi, <unknown>/10 + 1 more... MinPods=<unset> MaxPods=3 Replicas=2 Age=<unknown>';
    assert.equal(row(horizontalPodAutoscalers, { ...stored, status }), expected);
    assert.equal(row(hpaV1, hpaV1.convert?.fromStorage({ ...stored, status } as KubeObject) ?? {}), expected);
  });
});

describe('events', () => {
  it('without a reporter have none in events.k8s.io either', () => {
    const stored = { metadata, involvedObject: {}, reportingComponent: '', reportingInstance: '' };
    const converted = events.convert?.fromStorage(stored as KubeObject);
    assert.deepEqual(converted, { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata, regarding: {} });
  });
  const core = {
    metadata,
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
    reason: 'Started',
    message: ' started \n',
    type: 'Normal',
    source: { component: 'kubelet', host: 'n1' },
    firstTimestamp: '2025-12-31T23:00:00Z',
    lastTimestamp: '2025-12-31T23:58:00Z',
    count: 3,
  };
  const expected =
    'Last Seen=2m Type=Normal Reason=Started Object=pod/p Subobject= Source=kubelet, n1 Message=started First Seen=60m Count=3 Name=x';
  it('show the same in both groups', () => {
    assert.equal(row(coreEvents, core), expected);
    const converted = events.convert?.fromStorage(core as KubeObject);
    assert.deepEqual(converted?.regarding, core.involvedObject);
    assert.equal(converted?.deprecatedCount, 3);
    assert.equal(row(events, converted ?? {}), expected);
    assert.ok(converted);
    assert.deepEqual(events.convert?.toStorage(converted), { ...core, apiVersion: 'v1', kind: 'Event' });
  });
  it('of the new group are complete', () => {
    assert.deepEqual(createErrors(coreEvents, core), []);
    assert.deepEqual(createErrors(events, { metadata, type: 'Odd' }).slice(0, 2), [
      'eventTime: Required value',
      'type: Invalid value: "": has invalid value: Odd',
    ]);
  });
});

describe('certificates', () => {
  const pem = btoa(
    [
      '-----BEGIN CERTIFICATE REQUEST-----',
      'MIHYMH8CAQAwHTEMMAoGA1UECgwDZGV2MQ0wCwYDVQQDDARqYW5lMFkwEwYHKoZI',
      'zj0CAQYIKoZIzj0DAQcDQgAE+Lnph8hcUE9t6p2xYnv2AoGh1MZGY7bkM6hcGvcc',
      'KlqlR0cqfuGNEY1L1Q+rlPzgbgnTL5IpsU94Cbp4QI3grKAAMAoGCCqGSM49BAMC',
      'A0kAMEYCIQCAa+xFAlZYBMwnw2GjWVIZvfv06FjOVW5rnG9SEa/m/AIhAIdOqinB',
      'qfOgdb+lrhKdRysaDPwjwwcjBkeg317PKaML',
      '-----END CERTIFICATE REQUEST-----',
    ].join('\n'),
  );
  const request = (spec: object, status: object = {}) => ({
    metadata: cluster,
    spec: { request: pem, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'], ...spec },
    status,
  });
  it('are asked for in the name of the requestor', () => {
    const { spec } = created(certificateSigningRequests, request({ username: 'root', groups: ['system:masters'] }));
    assert.deepEqual([spec.username, spec.groups], ['tester', ['testers']]);
  });
  it('rules', () => {
    assert.deepEqual(createErrors(certificateSigningRequests, request({})), []);
    const broken = btoa('-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n');
    assert.deepEqual(createErrors(certificateSigningRequests, request({ request: broken })), [
      `spec.request: Invalid value: "${broken}": asn1: structure error: not a certificate request`,
    ]);
    assert.deepEqual(createErrors(certificateSigningRequests, request({ usages: ['magic'], signerName: 'me', expirationSeconds: 5 })), [
      'spec.usages[0]: Unsupported value: "magic": supported values: "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping"',
      'spec.signerName: Invalid value: "me": must be a fully qualified domain and path of the form \'example.com/signer-name\'',
      'spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 600 seconds (10 minutes)',
    ]);
  });
  it('row', () => {
    const status = { conditions: [{ type: 'Approved', status: 'True' }], certificate: 'x' };
    assert.equal(
      row(certificateSigningRequests, request({ username: 'u', expirationSeconds: 3600 }, status)),
      'Name=x Age=<unknown> SignerName=kubernetes.io/kube-apiserver-client Requestor=u RequestedDuration=60m Condition=Approved,Issued',
    );
  });
});

describe('extension of the API', () => {
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } };
  const definition = (spec: object) => ({
    metadata: { name: 'toys.example.com' },
    spec: { group: 'example.com', scope: 'Namespaced', names: { plural: 'toys', kind: 'Toy' }, versions: [version], ...spec },
  });
  it('custom resource definitions', () => {
    assert.deepEqual(createErrors(customResourceDefinitions, definition({})), []);
    assert.deepEqual(
      createErrors(customResourceDefinitions, definition({ scope: 'World', versions: [{ ...version, storage: false, schema: {} }] })),
      [
        'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"',
        'spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required',
        'spec.versions: Invalid value: ["v1"]: must have exactly one version marked as storage version',
        'status.storedVersions: Invalid value: []: must have at least one stored version',
      ],
    );
    assert.deepEqual(createErrors(customResourceDefinitions, { ...definition({}), metadata: { name: 'a.b' } }), [
      'metadata.name: Invalid value: "a.b": must be spec.names.plural+"."+spec.group',
    ]);
    assert.deepEqual(created(customResourceDefinitions, definition({})).status?.storedVersions, ['v1']);
  });
  it('API services', () => {
    const local = {
      metadata: { name: 'v1.apps' },
      spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17_800, versionPriority: 15 },
    };
    assert.deepEqual(createErrors(apiServices, local), []);
    assert.equal(row(apiServices, created(apiServices, local)), 'Name=v1.apps Service=Local Available=True Age=<unknown>');
    assert.equal(
      createErrors(apiServices, { ...local, metadata: cluster })[0],
      'metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.apps"',
    );
  });
  it('webhooks', () => {
    const webhook = {
      name: 'a.example.com',
      clientConfig: { url: 'https://a.example.com/x' },
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
    };
    assert.deepEqual(createErrors(validatingWebhookConfigurations, { metadata: cluster, webhooks: [webhook] }), []);
    assert.deepEqual(
      createErrors(validatingWebhookConfigurations, {
        metadata: cluster,
        webhooks: [{ ...webhook, name: 'a', sideEffects: 'Some', clientConfig: {}, timeoutSeconds: 31 }],
      }),
      [
        'webhooks[0].name: Invalid value: "a": should be a domain with at least three segments separated by dots',
        'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
        'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
        'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
      ],
    );
  });
  it('policies', () => {
    const matchConstraints = {
      resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }],
    };
    assert.deepEqual(
      createErrors(validatingAdmissionPolicies, { metadata: cluster, spec: { matchConstraints, validations: [{ expression: 'true' }] } }),
      [],
    );
    assert.equal(
      createErrors(validatingAdmissionPolicies, { metadata: cluster, spec: { validations: [{ expression: 'true' }] } })[0],
      'spec.matchConstraints: Required value',
    );
  });
});

describe('everything else', () => {
  it('leases', () => {
    assert.deepEqual(createErrors(leases, { metadata, spec: { leaseDurationSeconds: 0 } }), [
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    ]);
    // The release of client-go's leader election, as with ReleaseOnCancel.
    assert.deepEqual(createErrors(leases, { metadata, spec: { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 3 } }), []);
    assert.equal(row(leases, { metadata, spec: { holderIdentity: 'me' } }), 'Name=x Holder=me Age=<unknown>');
  });
  it('priority classes', () => {
    assert.deepEqual(createErrors(priorityClasses, { metadata: cluster, value: 1_000_000_001 }), [
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ]);
    assert.deepEqual(createErrors(priorityClasses, { metadata: { name: 'system-node-critical' }, value: 2_000_001_000 }), []);
    assert.deepEqual(updateErrors(priorityClasses, { metadata: cluster, value: 1 }, { metadata: cluster, value: 2 }), [
      'value: Forbidden: may not be changed in an update.',
    ]);
  });
  it('disruption budgets', () => {
    assert.deepEqual(createErrors(podDisruptionBudgets, { metadata, spec: { minAvailable: 1, maxUnavailable: '50%' } }), [
      'spec: Invalid value: {"minAvailable":1,"maxUnavailable":"50%"}: minAvailable and maxUnavailable cannot be both set',
    ]);
    assert.equal(
      row(podDisruptionBudgets, { metadata, spec: { minAvailable: 1 } }),
      'Name=x Min Available=1 Max Unavailable=N/A Allowed Disruptions=0 Age=<unknown>',
    );
  });
  it('storage classes', () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    const expected =
      'Name=x (default) Provisioner=p ReclaimPolicy=Delete VolumeBindingMode=Immediate AllowVolumeExpansion=false Age=<unknown>';
    assert.equal(row(storageClasses, { metadata: { name: 'x', annotations }, provisioner: 'p' }), expected);
    assert.deepEqual(updateErrors(storageClasses, { metadata: cluster, provisioner: 'p' }, { metadata: cluster, provisioner: 'q' }), [
      'provisioner: Forbidden: updates to provisioner are forbidden.',
    ]);
    const parameters = { a: 'b' };
    assert.deepEqual(createErrors(volumeAttributesClasses, { metadata: cluster, driverName: 'Example.com/driver', parameters }), []);
    assert.deepEqual(createErrors(volumeAttributesClasses, { metadata: cluster, parameters }), ['driverName: Required value']);
  });
  it('flow control', () => {
    const rules = [
      {
        subjects: [{ kind: 'User', user: { name: 'u' } }],
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }],
      },
    ];
    const schema = { metadata: cluster, spec: { priorityLevelConfiguration: { name: 'p' }, rules } };
    assert.deepEqual(createErrors(flowSchemas, schema), []);
    assert.equal(
      row(flowSchemas, schema),
      'Name=x PriorityLevel=p MatchingPrecedence=0 DistinguisherMethod=<none> Age=<unknown> MissingPL=?',
    );
    assert.deepEqual(createErrors(priorityLevelConfigurations, { metadata: cluster, spec: { type: 'Limited' } }), [
      'spec.limited: Required value: must not be empty when type is Limited',
    ]);
  });
  it('resource claims', () => {
    const spec = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } };
    assert.deepEqual(createErrors(resourceClaims, { metadata, spec }), []);
    assert.equal(
      row(resourceClaims, { metadata, spec, status: { allocation: {}, reservedFor: [{}] } }),
      'Name=x State=allocated,reserved Age=<unknown>',
    );
  });
});
