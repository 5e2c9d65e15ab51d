import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types/core-v1.ts';

export interface BoundVolume {
  readonly claim: DeepReadonly<PersistentVolumeClaim>;
  readonly volume: DeepReadonly<PersistentVolume>;
}
