import type { Informer } from '../../../api/client/informers/informer.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import type { APIService } from '../../../api/types/apiregistration-v1.ts';
import { builtInAPIServiceNames } from '../bootstrap/api-services.ts';
import type { HealthCheck } from '../documents/health.ts';

/** The check that each APIService of a built-in group version has been available once. */
export function createRegistrationCheck(registered: Informer<APIService>): HealthCheck {
  const missing = new Set(builtInAPIServiceNames);
  const note = ({ metadata, status }: DeepReadonly<APIService>) => {
    if (isConditionTrue(status?.conditions, 'Available')) missing.delete(metadata.name ?? '');
  };
  registered.addHandler({ onAdd: note, onUpdate: note });
  return {
    name: 'autoregister-completion',
    check() {
      if (missing.size > 0) throw new Error(`missing APIService: [${[...missing].toSorted().join(' ')}]`);
    },
  };
}
