import type { KubernetesObject } from '@kubernetes/client-node';

export const group = 'web.example.com';
export const plural = 'websites';
export const finalizer = 'web.example.com/directory';
export const defaultDomain = 'example.com';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

export interface WebsiteStatus {
  readonly observedGeneration?: number;
  readonly url?: string;
  readonly replicas?: number;
  readonly readyReplicas?: number;
  readonly selector?: string;
  readonly conditions?: readonly Condition[];
}

/** The stored version. The schema has filled `replicas` and `image`, the mutating webhook `host`. */
export interface Website extends KubernetesObject {
  readonly spec: {
    readonly host?: string;
    readonly replicas: number;
    readonly image: string;
    readonly pages: Readonly<Record<string, string>>;
  };
  readonly status?: WebsiteStatus;
}

/** The first version: one page, and other names. */
export interface WebsiteV1alpha1 extends KubernetesObject {
  readonly spec: {
    readonly domain?: string;
    readonly instances: number;
    readonly image: string;
    readonly html: string;
  };
  readonly status?: WebsiteStatus;
}

export const keyOf = ({ metadata }: KubernetesObject): string => `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;

/** The host of a website. One that was created while no webhook filled it in has the default nevertheless. */
export const hostOf = ({ metadata, spec }: Website): string =>
  spec.host ?? `${metadata?.name ?? ''}.${metadata?.namespace ?? ''}.${defaultDomain}`;

/** The website that has a host: of several the oldest. They can be several, since two may be admitted at the same moment. */
export function findOwner(websites: readonly Website[], host: string): Website | undefined {
  const ageOf = ({ metadata }: Website) => `${new Date(metadata?.creationTimestamp ?? 0).toISOString()} ${metadata?.uid ?? ''}`;
  return websites.filter((website) => hostOf(website) === host).toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1))[0];
}
