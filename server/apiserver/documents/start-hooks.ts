import type { HealthCheck } from './health.ts';

/** Names of upstream's post-start hooks that this server has work for, in upstream's order. */
const startHookNames = [
  'start-apiserver-admission-initializer',
  'generic-apiserver-start-informers',
  'priority-and-fairness-config-consumer',
  'start-apiextensions-informers',
  'start-apiextensions-controllers',
  'crd-informer-synced',
  'start-system-namespaces-controller',
  'start-cluster-authentication-info-controller',
  'start-legacy-token-tracking-controller',
  'start-service-ip-repair-controllers',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'bootstrap-controller',
  'start-kubernetes-service-cidr-controller',
  'aggregator-reload-proxy-client-cert',
  'start-kube-aggregator-informers',
  'apiservice-status-local-available-controller',
  'apiservice-status-remote-available-controller',
  'apiservice-registration-controller',
  'apiservice-discovery-controller',
  'kube-apiserver-autoregistration',
  'apiservice-openapi-controller',
  'apiservice-openapiv3-controller',
] as const;

export type StartHookName = (typeof startHookNames)[number];

/** Does the work of a hook; the hook's health check fails until the work has resolved. */
export type RunStartHook = (name: StartHookName, work: () => Promise<unknown> | void) => Promise<void>;

export interface StartHooks {
  /** One check for each expected hook, in upstream's order. */
  readonly checks: readonly HealthCheck[];
  readonly run: RunStartHook;
}

/** The health checks `poststarthook/<name>` of the work that is done at the start. All are there, and fail, before their work begins. */
export function createStartHooks(expected: readonly StartHookName[]): StartHooks {
  const finished = new Set<StartHookName>();
  return {
    checks: startHookNames
      .filter((name) => expected.includes(name))
      .map((name) => ({
        name: `poststarthook/${name}`,
        check() {
          if (!finished.has(name)) throw new Error('not finished');
        },
      })),
    async run(name, work) {
      if (!expected.includes(name)) throw new Error(`the start hook ${name} was not announced`);
      await work();
      finished.add(name);
    },
  };
}
