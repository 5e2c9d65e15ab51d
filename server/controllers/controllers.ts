import type { WatchedValue } from '../../api/base/watched-value.ts';
import type { SignSecretToken } from '../../api/semantics/secrets/service-account-tokens.ts';
import { attachDetachController } from './attachdetach/controller.ts';
import { bootstrapSigner } from './bootstrap-signer/controller.ts';
import { createCertificateApprovingController } from './certificate-approving/controller.ts';
import { certificateCleaner } from './certificate-cleaner/controller.ts';
import { createCertificateSigningController } from './certificate-signing/controller.ts';
import { createClusterDNSController } from './cluster-dns/controller.ts';
import { clusterRoleAggregation } from './clusterrole-aggregation/controller.ts';
import { cronJobController } from './cronjob/controller.ts';
import { daemonSetController } from './daemonset/controller.ts';
import { createDefaultStorageClassController } from './default-storage-class/controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { disruptionController } from './disruption/controller.ts';
import { endpointController } from './endpoint/controller.ts';
import { endpointSliceController } from './endpointslice/controller.ts';
import { endpointSliceMirroringController } from './endpointslicemirroring/controller.ts';
import { ephemeralVolumeController } from './ephemeral-volume/controller.ts';
import { garbageCollector } from './garbage-collector/controller.ts';
import { horizontalPodAutoscalerController } from './horizontalpodautoscaler/controller.ts';
import { jobController } from './job/controller.ts';
import type { ReservedNames } from './kubelet-serving-approving/names-of-node.ts';
import { createKubeletServingApprovingController } from './kubelet-serving-approving/controller.ts';
import { localVolumeProvisionerController } from './local-volume-provisioner/controller.ts';
import { legacyServiceAccountTokenCleaner } from './legacy-service-account-token-cleaner/controller.ts';
import { createNamespaceController } from './namespace/controller.ts';
import { createNodeLifecycleController, type NodeLifecycleOptions } from './node-lifecycle/controller.ts';
import { createNodeIPAMController, type NodeIPAMOptions } from './node-ipam/controller.ts';
import { persistentVolumeBinder } from './persistentvolume-binder/controller.ts';
import { persistentVolumeClaimProtection } from './persistentvolumeclaim-protection/controller.ts';
import { persistentVolumeExpander } from './persistentvolume-expander/controller.ts';
import { persistentVolumeProtection } from './persistentvolume-protection/controller.ts';
import { podGarbageCollector } from './pod-garbage-collector/controller.ts';
import { replicaSetController } from './replicaset/controller.ts';
import { replicationControllerController } from './replicationcontroller/controller.ts';
import { createRootCACertPublisher } from './root-ca-cert-publisher/controller.ts';
import { resourceClaimController } from './resource-claim/controller.ts';
import { resourceQuotaController } from './resourcequota/controller.ts';
import type { CertificateAuthority } from './runtime/certificate-authority.ts';
import type { Controller } from './runtime/define-controller.ts';
import { createServiceAccountTokens } from './service-account-tokens/controller.ts';
import { serviceAccountController } from './serviceaccount/controller.ts';
import { serviceCIDRController } from './service-cidrs/controller.ts';
import { statefulSetController } from './statefulset/controller.ts';
import { taintEvictionController } from './taint-eviction/controller.ts';
import { tokenCleaner } from './token-cleaner/controller.ts';
import { ttlController } from './ttl/controller.ts';
import { ttlAfterFinished } from './ttl-after-finished/controller.ts';
import { validatingAdmissionPolicyStatus } from './validatingadmissionpolicy-status/controller.ts';
import { volumeAttributesClassProtection } from './volumeattributesclass-protection/controller.ts';

interface ControllersOptions extends NodeIPAMOptions, NodeLifecycleOptions {
  /** PEM of the CA that signed the API server's certificate, as Pods are to know it. */
  readonly rootCA: WatchedValue<string>;
  /** The address of the Service kube-system/kube-dns, from the service range. */
  readonly clusterDNSAddress: string;
  /** Volumes of directories on nodes, and a default StorageClass of them. Absent: true. */
  readonly localStorage?: boolean;
  /** Whether other API servers may serve the same objects. Absent: this is the only one. */
  readonly sharesStorage?: boolean;
  /** Signs tokens for Secrets of the type service-account-token; absent: no such tokens are issued. */
  readonly signSecretToken?: SignSecretToken;
  /** Signs certificates for nodes and users; absent: no certificates are issued. */
  readonly certificates?: {
    readonly authority: CertificateAuthority;
    /** Names for which no node is given a serving certificate. */
    readonly reservedNames: ReservedNames;
  };
}

/** Every controller, one line for each. */
export function createControllers(options: ControllersOptions): readonly Controller[] {
  return [
    attachDetachController,
    bootstrapSigner,
    certificateCleaner,
    ...certificateControllers(options.certificates),
    createClusterDNSController(options.clusterDNSAddress),
    clusterRoleAggregation,
    cronJobController,
    daemonSetController,
    deploymentController,
    disruptionController,
    endpointController,
    endpointSliceController,
    endpointSliceMirroringController,
    ephemeralVolumeController,
    garbageCollector,
    horizontalPodAutoscalerController,
    jobController,
    ...(options.localStorage === false ? [] : [createDefaultStorageClassController(), localVolumeProvisionerController]),
    legacyServiceAccountTokenCleaner,
    createNamespaceController({ settleSeconds: options.sharesStorage ? 5 : 1 }),
    createNodeIPAMController(options),
    createNodeLifecycleController(options),
    persistentVolumeBinder,
    persistentVolumeClaimProtection,
    persistentVolumeExpander,
    persistentVolumeProtection,
    podGarbageCollector,
    replicaSetController,
    replicationControllerController,
    resourceClaimController,
    resourceQuotaController,
    createRootCACertPublisher(options.rootCA),
    serviceAccountController,
    ...(options.signSecretToken === undefined ? [] : [createServiceAccountTokens(options.rootCA, options.signSecretToken)]),
    serviceCIDRController,
    statefulSetController,
    taintEvictionController,
    tokenCleaner,
    ttlAfterFinished,
    ttlController,
    validatingAdmissionPolicyStatus,
    volumeAttributesClassProtection,
  ];
}

function certificateControllers(certificates: ControllersOptions['certificates']): readonly Controller[] {
  if (certificates === undefined) return [];
  return [
    createCertificateApprovingController(),
    createCertificateSigningController(certificates.authority),
    createKubeletServingApprovingController(certificates.reservedNames),
  ];
}
