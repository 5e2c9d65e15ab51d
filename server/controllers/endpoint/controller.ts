import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { formatKey, keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { endpoints } from '../../../api/resources/core/v1/endpoints.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { isHeadlessService } from '../../../api/semantics/services/services.ts';
import type { Endpoints } from '../../../api/types/core-v1.ts';
import { type ControllerSetup, defineController, done, type ReconcileResult, watching } from '../runtime/define-controller.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/pod-control.ts';
import { podsOfService, watchingPodsOfServices } from '../runtime/service-pods.ts';
import { rules } from './rbac.ts';
import { subsetsOf } from './subsets.ts';

const headlessLabel = 'service.kubernetes.io/headless';
const managedByLabel = 'endpoints.kubernetes.io/managed-by';
const managedBy = 'endpoint-controller';
const overCapacity = 'endpoints.kubernetes.io/over-capacity';

/** Keeps the Endpoints of Services with a selector, for clients that do not know EndpointSlices. */
export const endpointController = defineController({
  name: 'endpoints-controller',
  account: 'endpoint-controller',
  component: 'endpoint-controller',
  for: services,
  reads: [pods],
  watches: [
    watchingPodsOfServices(),
    watching(endpoints, ({ metadata }) => [{ namespace: metadata.namespace ?? '', name: metadata.name ?? '' }]),
  ],
  spacing: 3,
  rules,
  setUp(setup) {
    const deleted = new Set<string>();
    setup.informer(services).addHandler({
      onAdd: (service) => void deleted.delete(formatKey(keyOf(service))),
      onDelete: (service) => void deleted.add(formatKey(keyOf(service))),
    });
    return (key) => reconcile(setup, deleted, key);
  },
});

async function reconcile(dependencies: ControllerSetup, deleted: Set<string>, key: ObjectKey): Promise<ReconcileResult> {
  const { lister, client, events } = dependencies;
  const service = lister(services).find(key);
  const present = lister(endpoints).find(key);
  if (service === undefined) {
    // The Endpoints of a Service are deleted with it, even those that a user made for it; other Endpoints are left alone.
    const isOurs = present?.metadata.labels?.[managedByLabel] === managedBy;
    if (isOurs || deleted.has(formatKey(key))) await ignoreNotFound(client(endpoints).delete(key));
    deleted.delete(formatKey(key));
    return done;
  }
  if (service.spec?.selector === undefined || service.spec.type === 'ExternalName') return done;
  const { subsets, isTruncated } = subsetsOf(service, podsOfService(service, dependencies));

  const labels: Record<string, string> = { ...service.metadata.labels };
  delete labels[headlessLabel];
  if (isHeadlessService(service)) labels[headlessLabel] = '';
  labels[managedByLabel] = managedBy;
  const { [overCapacity]: _old, ...annotations } = { ...present?.metadata.annotations };
  if (isTruncated) annotations[overCapacity] = 'truncated';
  const isRight =
    present !== undefined &&
    isSemanticallyEqual(present.subsets, subsets) &&
    isSemanticallyEqual(present.metadata.labels, labels) &&
    isSemanticallyEqual({ ...present.metadata.annotations }, annotations);
  if (isRight) return done;

  const metadata: Endpoints['metadata'] = present === undefined ? { ...key } : mutableCopy<Endpoints['metadata']>(present.metadata);
  const wanted: Endpoints = { metadata: { ...metadata, labels, annotations }, subsets };
  try {
    await (present === undefined ? client(endpoints).create(wanted) : client(endpoints).update(wanted));
  } catch (error) {
    if (isNamespaceTerminating(error)) return done;
    const verb = present === undefined ? 'create' : 'update';
    const reason = present === undefined ? 'FailedToCreateEndpoint' : 'FailedToUpdateEndpoint';
    const message = `Failed to ${verb} endpoint ${key.namespace}/${key.name}: ${messageOf(error)}`;
    events.event(referenceTo(services, service), 'Warning', reason, message);
    throw error;
  }
  return done;
}
