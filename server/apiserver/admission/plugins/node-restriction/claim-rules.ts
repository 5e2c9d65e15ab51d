import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../../../api/base/equality.ts';
import { quote } from '../../../../../api/base/quote.ts';
import { diffJSON } from '../../../../../api/resource/json-diff.ts';
import { persistentVolumeClaims } from '../../../../../api/resources/core/v1/persistent-volume-claim.ts';
import type { PersistentVolumeClaim } from '../../../../../api/types/core-v1.ts';
import type { AdmissionRequest } from '../../admission.ts';
import { newObject, oldObject } from '../../admission-request.ts';

/** Restricts a node's changes of a claim's status to the size of the volume and the state of its resizing. */
export function restrictClaimStatus(request: AdmissionRequest, nodeName: string): string | undefined {
  const claim = newObject(request, persistentVolumeClaims, 'status');
  const old = oldObject(request, persistentVolumeClaims);
  if (request.operation !== 'UPDATE' || !claim || !old) return `unexpected operation ${quote(request.operation)}`;
  const [before, after] = [fixedPart(old), fixedPart(claim)];
  if (isSemanticallyEqual(before, after)) return undefined;
  return `node ${quote(nodeName)} is not allowed to update fields other than status.capacity and status.conditions: ${diffJSON(before, after)}`;
}

function fixedPart({ metadata, status, ...rest }: DeepReadonly<PersistentVolumeClaim>): unknown {
  const { resourceVersion: _version, managedFields: _managed, ...fixedMetadata } = metadata;
  const {
    capacity: _capacity,
    conditions: _conditions,
    allocatedResources: _resources,
    allocatedResourceStatuses: _statuses,
    ...fixedStatus
  } = status ?? {};
  return { ...rest, metadata: fixedMetadata, status: fixedStatus };
}
