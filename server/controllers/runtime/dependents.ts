import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Informer } from '../../../api/client/informers/informer.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { findController } from '../../../api/meta/owner-references.ts';

const index = 'controller';

/** Has the informer find objects by the uid of their controller, and orphans by namespace. */
export function indexByController<T extends KubeObject>(informer: Informer<T>): void {
  informer.addIndex(index, (object) => {
    const controller = findController(object);
    return [controller === undefined ? `orphans in ${object.metadata.namespace ?? ''}` : controller.uid];
  });
}

/** Objects controlled by the owner, and the orphans of its namespace that it might adopt. */
export function dependentsAndOrphans<T extends KubeObject>(
  informer: Informer<T>,
  owner: { readonly metadata: { readonly uid?: string; readonly namespace?: string } },
): DeepReadonly<T>[] {
  const { uid = '', namespace = '' } = owner.metadata;
  return [...informer.lister.byIndex(index, uid), ...informer.lister.byIndex(index, `orphans in ${namespace}`)];
}

/** Objects controlled by the owner with this uid. */
export function dependentsOf<T extends KubeObject>(informer: Informer<T>, uid: string): DeepReadonly<T>[] {
  return informer.lister.byIndex(index, uid);
}
