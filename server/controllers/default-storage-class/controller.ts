import { hasReason } from '../../../api/meta/status.ts';
import { storageClasses } from '../../../api/resources/storage/v1/storage-class.ts';
import { localStorageClassName, localVolumeProvisioner } from '../../../api/semantics/storage/local-volumes.ts';
import { type Controller, defineController, done } from '../runtime/define-controller.ts';
import { rules } from './rbac.ts';

/**
 * Creates the StorageClass `standard`, so that claims work without further setup. It is created only at the start and only if there is none
 * of that name, so an administrator's changes are kept.
 */
export function createDefaultStorageClassController(): Controller {
  return defineController({
    name: 'default-storage-class-controller',
    account: 'default-storage-class-controller',
    for: storageClasses,
    concerns: () => false,
    workers: 1,
    rules,
    setUp({ client, lister, enqueue }) {
      let isEnsured = false;
      enqueue({ namespace: '', name: localStorageClassName });
      return async (key) => {
        if (isEnsured || key.name !== localStorageClassName) return done;
        if (lister(storageClasses).find(key) === undefined) {
          try {
            await client(storageClasses).create({
              metadata: {
                name: localStorageClassName,
                annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
              },
              provisioner: localVolumeProvisioner,
              reclaimPolicy: 'Delete',
              volumeBindingMode: 'WaitForFirstConsumer',
            });
          } catch (error) {
            if (!hasReason(error, 'AlreadyExists')) throw error;
          }
        }
        isEnsured = true;
        return done;
      };
    },
  });
}
