import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Device } from '../../types/resource-v1.ts';

/** The value of `device` in an expression. */
export interface SelectableDevice extends Pick<DeepReadonly<Device>, 'attributes' | 'capacity' | 'allowMultipleAllocations'> {
  readonly driver: string;
}

/** A compiled expression on devices. */
export interface DeviceExpression {
  /** Steps that it takes at most on any device, by its text; Infinity: without a limit. */
  maxCost(): number;
  /** Throws an Error fit to be shown when the expression fails on this device. */
  matches(device: SelectableDevice): boolean;
}

/** Throws an Error fit to be shown when the text is no expression that yields a bool. */
export type CompileDeviceExpression = (expression: string) => DeviceExpression;

/** Attributes and capacities without a domain of their own are in that of their driver. */
export function splitQualifiedName(name: string, driver: string): { readonly domain: string; readonly id: string } {
  const slash = name.indexOf('/');
  return slash < 0 ? { domain: driver, id: name } : { domain: name.slice(0, slash), id: name.slice(slash + 1) };
}
