import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { reviewedObject, type ReviewedObjects } from './admission-review.ts';

/** The objects of a request as a webhook is shown them. */
export interface ShownObjects {
  readonly object: UntypedObject | undefined;
  readonly oldObject: DeepReadonly<UntypedObject> | undefined;
  /** Their JSON; made when it is asked for. */
  json(): ReviewedObjects;
}

/** Shows objects; JSON is made of them once. */
export function show(object: UntypedObject | undefined, oldObject: DeepReadonly<UntypedObject> | undefined): ShownObjects {
  let json: ReviewedObjects | undefined;
  return { object, oldObject, json: () => (json ??= { object: reviewedObject(object), oldObject: reviewedObject(oldObject) }) };
}
