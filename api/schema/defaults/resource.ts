import { formatTime } from '../../meta/time.ts';
import type { DeviceSubRequest, DeviceTaint, ExactDeviceRequest } from '../../types/resource-v1.ts';
import type { ConditionalDefaults, DefaultContext } from './conditional-default.ts';

function defaultRequest(request: DeviceSubRequest | ExactDeviceRequest): void {
  request.allocationMode ||= 'ExactCount';
  if (request.allocationMode === 'ExactCount') request.count ||= 1;
}

function defaultTaint(taint: DeviceTaint, { nowMs }: DefaultContext): void {
  if (nowMs !== undefined) taint.timeAdded ??= formatTime(nowMs);
}

export const resourceDefaults: ConditionalDefaults = [
  ['io.k8s.api.resource.v1.DeviceSubRequest', defaultRequest],
  ['io.k8s.api.resource.v1.ExactDeviceRequest', defaultRequest],
  ['io.k8s.api.resource.v1.DeviceTaint', defaultTaint],
];
