import { apiextensionsDefaults } from './apiextensions.ts';
import { appsDefaults } from './apps.ts';
import { autoscalingDefaults } from './autoscaling.ts';
import { batchDefaults } from './batch.ts';
import type { ConditionalDefault } from './conditional-default.ts';
import { coreDefaults } from './core.ts';
import { networkingDefaults } from './networking.ts';
import { podDefaults } from './pods.ts';
import { rbacDefaults } from './rbac.ts';
import { resourceDefaults } from './resource.ts';

/** Defaults that depend on other fields, by OpenAPI definition name; constant ones are in the generated facts. */
export const conditionalDefaults: ReadonlyMap<string, ConditionalDefault> = new Map([
  ...apiextensionsDefaults,
  ...appsDefaults,
  ...autoscalingDefaults,
  ...batchDefaults,
  ...coreDefaults,
  ...networkingDefaults,
  ...podDefaults,
  ...rbacDefaults,
  ...resourceDefaults,
]);
