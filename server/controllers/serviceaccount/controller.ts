import { hasReason } from '../../../api/meta/status.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import { defineController, done, watching } from '../runtime/define-controller.ts';
import { isNamespaceTerminating } from '../runtime/pod-control.ts';
import { rules } from './rbac.ts';

const accountName = 'default';

/** Sees to it that every Namespace has the ServiceAccount `default`, which Pods run as that name none. */
export const serviceAccountController = defineController({
  name: 'serviceaccount-controller',
  account: 'service-account-controller',
  for: namespaces,
  watches: [
    watching(serviceAccounts, ({ metadata }) => (metadata.name === accountName ? [{ namespace: '', name: metadata.namespace ?? '' }] : [])),
  ],
  workers: 1,
  rules,
  async reconcile({ name: namespace }, { lister, client }) {
    const owner = lister(namespaces).find({ namespace: '', name: namespace });
    if (owner === undefined || owner.status?.phase === 'Terminating') return done;
    if (lister(serviceAccounts).find({ namespace, name: accountName }) !== undefined) return done;
    try {
      await client(serviceAccounts).create({ metadata: { namespace, name: accountName } });
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists') && !isNamespaceTerminating(error)) throw error;
    }
    return done;
  },
});
