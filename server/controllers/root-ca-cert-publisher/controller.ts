import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import type { WatchedValue } from '../../../api/base/watched-value.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import type { ConfigMap } from '../../../api/types/core-v1.ts';
import { type Controller, defineController, done, enqueueingAll, watching } from '../runtime/define-controller.ts';
import { isNamespaceTerminating } from '../runtime/pod-control.ts';
import { rules } from './rbac.ts';

const configMapName = 'kube-root-ca.crt';
const descriptionKey = 'kubernetes.io/description';
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal ' +
  'service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Puts the API server's CA, in PEM, into the ConfigMap kube-root-ca.crt of every Namespace, from where Pods mount it. */
export function createRootCACertPublisher(rootCA: WatchedValue<string>): Controller {
  return defineController({
    name: 'root-ca-certificate-publisher-controller',
    account: 'root-ca-cert-publisher',
    for: namespaces,
    watches: [
      watching(configMaps, ({ metadata }) => (metadata.name === configMapName ? [{ namespace: '', name: metadata.namespace ?? '' }] : [])),
      enqueueingAll(namespaces, rootCA),
    ],
    workers: 1,
    rules,
    async reconcile({ name: namespace }, { lister, client }) {
      const owner = lister(namespaces).find({ namespace: '', name: namespace });
      if (owner === undefined || owner.status?.phase === 'Terminating') return done;
      const present = lister(configMaps).find({ namespace, name: configMapName });
      const data = { 'ca.crt': rootCA.get() };
      if (present === undefined) {
        const metadata = { namespace, name: configMapName, annotations: { [descriptionKey]: description } };
        try {
          await client(configMaps).create({ metadata, data });
        } catch (error) {
          if (!hasReason(error, 'AlreadyExists') && !isNamespaceTerminating(error)) throw error;
        }
        return done;
      }
      const isRight = Object.keys(present.data ?? {}).length === 1 && present.data?.['ca.crt'] === data['ca.crt'];
      if (isRight && present.metadata.annotations?.[descriptionKey] === description) return done;
      const { metadata } = mutableCopy<ConfigMap>(present);
      metadata.annotations = { ...metadata.annotations, [descriptionKey]: description };
      await client(configMaps).update({ metadata, data });
      return done;
    },
  });
}
