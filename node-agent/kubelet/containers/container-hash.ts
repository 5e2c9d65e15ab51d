import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { fnv32a } from '../../../api/semantics/pods/pod-template-hash.ts';
import type { Container, EphemeralContainer } from '../../../api/types/core-v1.ts';

/**
 * Hash of the fields whose change needs a new container: its name and image, the only parts of a running Pod's container that
 * may change.
 */
export function containerHash({ name, image = '' }: DeepReadonly<Container | EphemeralContainer>): string {
  return fnv32a(new TextEncoder().encode(JSON.stringify({ name, image }))).toString(16);
}
