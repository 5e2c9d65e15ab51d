import type { TLSSettings } from '../services/secure-dialer.ts';

/** The credentials that a webhook is shown. */
export interface HookUser {
  readonly clientCertificate?: NonNullable<TLSSettings['clientCertificate']>;
  /** Value of the header Authorization. */
  readonly authorization?: string;
}

/** The credentials of the API server for webhooks, by their place. */
export interface HookUsers {
  /**
   * Resolves with undefined for a webhook that is shown none.
   * @param host the name of a Service, `<name>.<namespace>.svc`, or the host of a URL
   */
  find(host: string, port: number): Promise<HookUser | undefined>;
}

/**
 * The name among the users of a kubeconfig whose credentials are for a webhook: its host and port, then `*.` and what follows
 * a dot of it, both also without the port where that is 443, then `*`, then the user of the current context.
 */
export function findHookUser(known: ReadonlySet<string>, host: string, port: number, current: string | undefined): string | undefined {
  const withPort = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const targets = port === 443 ? [withPort, host] : [withPort];
  const candidates = [...targets.flatMap(namesFor), '*', ...(current === undefined ? [] : [current])];
  return candidates.find((name) => known.has(name));
}

function namesFor(target: string): readonly string[] {
  const steps = target.split('.');
  return [target, ...steps.slice(1).map((_, index) => `*.${steps.slice(index + 1).join('.')}`)];
}
