import type { ConformanceTest } from '../framework/conformance-test.ts';
import apiMachineryAggregatedDiscoveryAccept from './sig-api-machinery/aggregated-discovery-accept.ts';
import apiMachineryChunking from './sig-api-machinery/chunking.ts';
import apiMachineryCrdCreateDelete from './sig-api-machinery/custom-kinds/create-delete.ts';
import apiMachineryCrdDefaulting from './sig-api-machinery/custom-kinds/defaulting.ts';
import apiMachineryCrdDiscovery from './sig-api-machinery/custom-kinds/discovery.ts';
import apiMachineryCrdFieldSelectors from './sig-api-machinery/custom-kinds/field-selectors.ts';
import apiMachineryCrdPublishedOpenapi from './sig-api-machinery/custom-kinds/published-openapi.ts';
import apiMachineryCrdStatusSubresource from './sig-api-machinery/custom-kinds/status-subresource.ts';
import apiMachineryDiscoveryLocate from './sig-api-machinery/discovery-locate.ts';
import apiMachineryDiscoveryPreferredVersion from './sig-api-machinery/discovery-preferred-version.ts';
import apiMachineryFieldValidationTyped from './sig-api-machinery/field-validation-typed.ts';
import apiMachineryGcBackground from './sig-api-machinery/gc-background.ts';
import apiMachineryGcCircle from './sig-api-machinery/gc-circle.ts';
import apiMachineryGcOrphan from './sig-api-machinery/gc-orphan.ts';
import apiMachineryNamespaceFinalizer from './sig-api-machinery/namespace-finalizer.ts';
import apiMachineryNamespacePatch from './sig-api-machinery/namespace-patch.ts';
import apiMachineryNamespaceServicesRemoved from './sig-api-machinery/namespace-services-removed.ts';
import apiMachineryNamespaceStatus from './sig-api-machinery/namespace-status.ts';
import apiMachineryNamespaceUpdate from './sig-api-machinery/namespace-update.ts';
import apiMachineryPolicyDeployment from './sig-api-machinery/policy-deployment.ts';
import apiMachineryPolicyVariables from './sig-api-machinery/policy-variables.ts';
import apiMachineryServerVersion from './sig-api-machinery/server-version.ts';
import apiMachineryTableNotAcceptable from './sig-api-machinery/table-not-acceptable.ts';
import apiMachineryWatchConcurrent from './sig-api-machinery/watch-concurrent.ts';
import apiMachineryWatchFromResourceVersion from './sig-api-machinery/watch-from-resource-version.ts';
import apiMachineryWatchNotifications from './sig-api-machinery/watch-notifications.ts';
import apiMachineryWatchRestart from './sig-api-machinery/watch-restart.ts';
import apiMachineryWatchSelectorLeft from './sig-api-machinery/watch-selector-left.ts';
import apiMachineryWebhookFailClosed from './sig-api-machinery/webhooks/fail-closed.ts';
import apiMachineryWebhookInvalidMatchConditions from './sig-api-machinery/webhooks/invalid-match-conditions.ts';
import appsDeploymentRollingUpdate from './sig-apps/deployment-rolling-update.ts';
import appsDeploymentScale from './sig-apps/deployment-scale.ts';
import appsJobCompletion from './sig-apps/job-completion.ts';
import appsJobDelete from './sig-apps/job-delete.ts';
import appsReplicaSetScale from './sig-apps/replica-set-scale.ts';
import appsReplicaSetServe from './sig-apps/replica-set-serve.ts';
import authRootCa from './sig-auth/root-ca.ts';
import authServiceAccountLifecycle from './sig-auth/service-account-lifecycle.ts';
import authTokenMounted from './sig-auth/token-mounted.ts';
import authTokenReview from './sig-auth/token-review.ts';
import cliApiVersions from './sig-cli/api-versions.ts';
import cliClusterInfo from './sig-cli/cluster-info.ts';
import cliDiff from './sig-cli/diff.ts';
import cliLabel from './sig-cli/label.ts';
import cliLogs from './sig-cli/logs.ts';
import cliVersion from './sig-cli/version.ts';
import networkDnsCluster from './sig-network/dns-cluster.ts';
import networkDnsServices from './sig-network/dns-services.ts';
import networkEndpointsLifecycle from './sig-network/endpoints-lifecycle.ts';
import networkSecureMasterService from './sig-network/secure-master-service.ts';
import networkServiceBasicEndpoint from './sig-network/service-basic-endpoint.ts';
import networkServiceListed from './sig-network/service-listed.ts';
import networkServiceNodePort from './sig-network/service-node-port.ts';
import nodeConfigMapEmptyKey from './sig-node/config-map-empty-key.ts';
import nodeConfigMapEnvFrom from './sig-node/config-map-env-from.ts';
import nodeConfigMapEnv from './sig-node/config-map-env.ts';
import nodeConfigMapLifecycle from './sig-node/config-map-lifecycle.ts';
import nodeDraDeviceClass from './sig-node/dra-device-class.ts';
import nodeDraResourceClaim from './sig-node/dra-resource-claim.ts';
import nodeDraResourceClaimTemplate from './sig-node/dra-resource-claim-template.ts';
import nodeDraResourceSlice from './sig-node/dra-resource-slice.ts';
import nodeExecWebsocket from './sig-node/exec-websocket.ts';
import nodeExpansionCommand from './sig-node/expansion-command.ts';
import nodePodSubmittedAndRemoved from './sig-node/pod-submitted-and-removed.ts';
import nodePodUpdated from './sig-node/pod-updated.ts';
import nodeProbeLivenessExec from './sig-node/probe-liveness-exec.ts';
import nodeProbeLivenessOnFailure from './sig-node/probe-liveness-on-failure.ts';
import nodeProbeReadinessFailing from './sig-node/probe-readiness-failing.ts';
import nodeSecretEmptyKey from './sig-node/secret-empty-key.ts';
import nodeSecretEnv from './sig-node/secret-env.ts';
import nodeSecretPatch from './sig-node/secret-patch.ts';
import storageConfigMapImmutable from './sig-storage/config-map-immutable.ts';
import storageConfigMapVolume from './sig-storage/config-map-volume.ts';
import storageSecretImmutable from './sig-storage/secret-immutable.ts';
import storageSecretVolume from './sig-storage/secret-volume.ts';

/** Every test of the suite, by SIG; a test of this list fails when a file is missing from it. */
export const suite: readonly ConformanceTest[] = [
  apiMachineryAggregatedDiscoveryAccept,
  apiMachineryChunking,
  apiMachineryCrdCreateDelete,
  apiMachineryCrdDefaulting,
  apiMachineryCrdDiscovery,
  apiMachineryCrdFieldSelectors,
  apiMachineryCrdPublishedOpenapi,
  apiMachineryCrdStatusSubresource,
  apiMachineryDiscoveryLocate,
  apiMachineryDiscoveryPreferredVersion,
  apiMachineryFieldValidationTyped,
  apiMachineryGcBackground,
  apiMachineryGcCircle,
  apiMachineryGcOrphan,
  apiMachineryNamespaceFinalizer,
  apiMachineryNamespacePatch,
  apiMachineryNamespaceServicesRemoved,
  apiMachineryNamespaceStatus,
  apiMachineryNamespaceUpdate,
  apiMachineryPolicyDeployment,
  apiMachineryPolicyVariables,
  apiMachineryServerVersion,
  apiMachineryTableNotAcceptable,
  apiMachineryWatchConcurrent,
  apiMachineryWatchFromResourceVersion,
  apiMachineryWatchNotifications,
  apiMachineryWatchRestart,
  apiMachineryWatchSelectorLeft,
  apiMachineryWebhookFailClosed,
  apiMachineryWebhookInvalidMatchConditions,
  appsDeploymentRollingUpdate,
  appsDeploymentScale,
  appsJobCompletion,
  appsJobDelete,
  appsReplicaSetScale,
  appsReplicaSetServe,
  authRootCa,
  authServiceAccountLifecycle,
  authTokenMounted,
  authTokenReview,
  cliApiVersions,
  cliClusterInfo,
  cliDiff,
  cliLabel,
  cliLogs,
  cliVersion,
  networkDnsCluster,
  networkDnsServices,
  networkEndpointsLifecycle,
  networkSecureMasterService,
  networkServiceBasicEndpoint,
  networkServiceListed,
  networkServiceNodePort,
  nodeConfigMapEmptyKey,
  nodeConfigMapEnvFrom,
  nodeConfigMapEnv,
  nodeConfigMapLifecycle,
  nodeDraDeviceClass,
  nodeDraResourceClaim,
  nodeDraResourceClaimTemplate,
  nodeDraResourceSlice,
  nodeExecWebsocket,
  nodeExpansionCommand,
  nodePodSubmittedAndRemoved,
  nodePodUpdated,
  nodeProbeLivenessExec,
  nodeProbeLivenessOnFailure,
  nodeProbeReadinessFailing,
  nodeSecretEmptyKey,
  nodeSecretEnv,
  nodeSecretPatch,
  storageConfigMapImmutable,
  storageConfigMapVolume,
  storageSecretImmutable,
  storageSecretVolume,
];
