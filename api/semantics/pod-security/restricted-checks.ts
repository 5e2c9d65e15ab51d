import { checkProcMount, checkSeccompProfiles, isConfining } from './baseline-checks.ts';
import {
  type Check,
  type CheckPod,
  containersOf,
  exceptUserNamespaces,
  exceptWindows,
  nameContainers,
  namesWhere,
  nameSetters,
  plural,
  quoteAll,
  sorted,
} from './check.ts';

const checkPrivilegeEscalation: CheckPod = (pod) => {
  const names = namesWhere(pod, ({ allowPrivilegeEscalation }) => allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  const detail = `${nameContainers(names)} must set securityContext.allowPrivilegeEscalation=false`;
  return { reason: 'allowPrivilegeEscalation != false', detail };
};

const checkCapabilities: CheckPod = (pod) => {
  const forbidden = (added: readonly string[] = []) => added.filter((capability) => capability !== 'NET_BIND_SERVICE');
  const keeping = namesWhere(pod, ({ capabilities }) => !capabilities?.drop?.includes('ALL'));
  const adding = namesWhere(pod, ({ capabilities }) => forbidden(capabilities?.add).length > 0);
  const found = sorted(containersOf(pod).flatMap(({ securityContext }) => forbidden(securityContext?.capabilities?.add)));
  const details = [
    ...(keeping.length > 0 ? [`${nameContainers(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0 ? [`${nameContainers(adding)} must not include ${quoteAll(found)} in securityContext.capabilities.add`] : []),
  ];
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
};

const allowedVolumes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const;
const otherVolumes = [
  ...(['hostPath', 'gcePersistentDisk', 'awsElasticBlockStore', 'gitRepo', 'nfs', 'iscsi', 'glusterfs', 'rbd', 'flexVolume'] as const),
  ...(['cinder', 'cephfs', 'flocker', 'fc', 'azureFile', 'vsphereVolume', 'quobyte', 'azureDisk', 'photonPersistentDisk'] as const),
  ...(['portworxVolume', 'scaleIO', 'storageos'] as const),
];

const checkVolumes: CheckPod = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter((volume) => !allowedVolumes.some((type) => volume[type]));
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map((volume) => otherVolumes.find((type) => volume[type]) ?? 'unknown'));
  const names = `${plural('volume', bad.length)} ${quoteAll(bad.map(({ name }) => name))}`;
  const verb = bad.length === 1 ? 'uses' : 'use';
  return {
    reason: 'restricted volume types',
    detail: `${names} ${verb} ${plural('restricted volume type', types.length)} ${quoteAll(types)}`,
  };
};

const checkRunAsNonRoot: CheckPod = (pod) => {
  const own = pod.spec.securityContext?.runAsNonRoot;
  const reason = 'runAsNonRoot != true';
  const setters = nameSetters(
    own === false,
    namesWhere(pod, ({ runAsNonRoot }) => runAsNonRoot === false),
  );
  if (setters !== '') return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` };
  const silent = own ? [] : namesWhere(pod, ({ runAsNonRoot }) => runAsNonRoot === undefined);
  return silent.length === 0
    ? undefined
    : { reason, detail: `pod or ${nameContainers(silent)} must set securityContext.runAsNonRoot=true` };
};

const checkRunAsUser: CheckPod = (pod) => {
  const setters = nameSetters(
    pod.spec.securityContext?.runAsUser === 0,
    namesWhere(pod, ({ runAsUser }) => runAsUser === 0),
  );
  return setters === '' ? undefined : { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` };
};

const checkSeccomp: CheckPod = (pod) => {
  const violation = checkSeccompProfiles(pod);
  if (violation || isConfining(pod.spec.securityContext?.seccompProfile)) return violation;
  const silent = namesWhere(pod, ({ seccompProfile }) => seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  const detail = `pod or ${nameContainers(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`;
  return { reason: 'seccompProfile', detail };
};

/** Checks of the restricted standard besides the baseline's: the practice of hardening Pods. */
export const restrictedChecks: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    versions: [
      [8, checkPrivilegeEscalation],
      [25, exceptWindows(checkPrivilegeEscalation)],
    ],
  },
  {
    id: 'capabilities_restricted',
    overrides: 'capabilities_baseline',
    versions: [
      [22, checkCapabilities],
      [25, exceptWindows(checkCapabilities)],
    ],
  },
  { id: 'procMount_restricted', overrides: 'procMount', versions: [[35, checkProcMount]] },
  { id: 'restrictedVolumes', overrides: 'hostPathVolumes', versions: [[0, checkVolumes]] },
  {
    id: 'runAsNonRoot',
    versions: [
      [0, checkRunAsNonRoot],
      [35, exceptUserNamespaces(checkRunAsNonRoot)],
    ],
  },
  {
    id: 'runAsUser',
    versions: [
      [23, checkRunAsUser],
      [35, exceptUserNamespaces(checkRunAsUser)],
    ],
  },
  {
    id: 'seccompProfile_restricted',
    overrides: 'seccompProfile_baseline',
    versions: [
      [19, checkSeccomp],
      [25, exceptWindows(checkSeccomp)],
    ],
  },
];
