import { hash } from 'node:crypto';
import type { Clock } from '../../../../api/base/clock.ts';
import type { MetricFamilies } from '../../metric-families.ts';

/** Counts of the authentication by JSON Web Tokens and of its configuration, under upstream's names. */
export interface JWTMetrics {
  authenticated(result: 'success' | 'failure', issuer: string, seconds: number): void;
  /** undefined: they could not be fetched. */
  keysFetched(issuer: string, body: Uint8Array | undefined): void;
  /** Drops the metrics of the keys of an issuer that is no longer configured. */
  forgetKeys(issuer: string): void;
  /** The configuration in use. */
  configured(content: Uint8Array): void;
  reloaded(status: 'success' | 'failure'): void;
  /** Before that everything is kept, but for latencies. */
  countIn(families: MetricFamilies): void;
}

const hashOf = (data: Uint8Array | string): string => (data.length === 0 ? '' : `sha256:${hash('sha256', data, 'hex')}`);

const statuses = ['success', 'failure'] as const;

/** The counts until a scrape asks for them. */
interface JWTCounts {
  /** The hash of the identity of this API server. */
  readonly server: string;
  /** By issuer: the times of the last fetches in seconds, and the hash of the last keys. */
  readonly fetches: Map<string, { readonly success?: number; readonly failure?: number; readonly keys?: string }>;
  readonly reloads: Readonly<Record<(typeof statuses)[number], { count: number; atSeconds: number }>>;
  /** The hash of the configuration in use. */
  configuration: string;
}

/** @param serverId the identity of this API server among those of its cluster */
export function createJWTMetrics(clock: Clock, serverId: string): JWTMetrics {
  const counts: JWTCounts = {
    server: hashOf(serverId),
    fetches: new Map(),
    reloads: { success: { count: 0, atSeconds: 0 }, failure: { count: 0, atSeconds: 0 } },
    configuration: '',
  };
  const { fetches, reloads } = counts;
  let observe = (_result: string, _issuer: string, _seconds: number): void => {};
  return {
    authenticated: (result, issuer, seconds) => observe(result, issuer, seconds),
    keysFetched(issuer, body) {
      const known = fetches.get(issuer) ?? {};
      const seconds = clock.nowMs() / 1000;
      fetches.set(issuer, body === undefined ? { ...known, failure: seconds } : { ...known, success: seconds, keys: hashOf(body) });
    },
    forgetKeys: (issuer) => void fetches.delete(issuer),
    configured: (content) => void (counts.configuration = hashOf(content)),
    reloaded(status) {
      reloads[status].count++;
      reloads[status].atSeconds = clock.nowMs() / 1000;
    },
    countIn(families) {
      const latencies = families.histogram({
        name: 'apiserver_authentication_jwt_authenticator_latency_seconds',
        help: 'Latency of jwt authentication operations in seconds. This is the time spent authenticating a token for cache miss only (i.e. when the token is not found in the cache).',
        stability: 'ALPHA',
        labels: ['result', 'jwt_issuer_hash'],
        buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      });
      observe = (result, issuer, seconds) => latencies.with(result, hashOf(issuer)).observe(seconds);
      countFetches(counts, families);
      countReloads(counts, families);
    },
  };
}

function countFetches({ fetches, server }: JWTCounts, families: MetricFamilies): void {
  families.gauge(
    {
      name: 'apiserver_authentication_jwt_authenticator_jwks_fetch_last_timestamp_seconds',
      help: 'Timestamp of the last successful or failed JWKS fetch split by result, api server identity and jwt issuer for the JWT authenticator.',
      stability: 'ALPHA',
      labels: ['result', 'jwt_issuer_hash', 'apiserver_id_hash'],
    },
    (family) => {
      family.clear();
      for (const [issuer, one] of fetches)
        for (const status of statuses) if (one[status] !== undefined) family.with(status, hashOf(issuer), server).value = one[status];
    },
  );
  families.gauge(
    {
      name: 'apiserver_authentication_jwt_authenticator_jwks_fetch_last_key_set_info',
      help: 'Information about the last JWKS fetched by the JWT authenticator with hash as label, split by api server identity and jwt issuer.',
      stability: 'ALPHA',
      labels: ['jwt_issuer_hash', 'apiserver_id_hash', 'hash'],
    },
    (family) => {
      family.clear();
      for (const [issuer, { keys }] of fetches) if (keys !== undefined) family.with(hashOf(issuer), server, keys).value = 1;
    },
  );
}

function countReloads(counts: JWTCounts, families: MetricFamilies): void {
  const { server, reloads } = counts;
  families.counter(
    {
      name: 'apiserver_authentication_config_controller_automatic_reloads_total',
      help: 'Total number of automatic reloads of authentication configuration split by status and apiserver identity.',
      stability: 'BETA',
      labels: ['status', 'apiserver_id_hash'],
    },
    (family) => {
      for (const status of statuses) if (reloads[status].count > 0) family.with(status, server).value = reloads[status].count;
    },
  );
  families.gauge(
    {
      name: 'apiserver_authentication_config_controller_automatic_reload_last_timestamp_seconds',
      help: 'Timestamp of the last automatic reload of authentication configuration split by status and apiserver identity.',
      stability: 'BETA',
      labels: ['status', 'apiserver_id_hash'],
    },
    (family) => {
      for (const status of statuses) if (reloads[status].count > 0) family.with(status, server).value = reloads[status].atSeconds;
    },
  );
  families.gauge(
    {
      name: 'apiserver_authentication_config_controller_last_config_info',
      help: 'Information about the last applied authentication configuration with hash as label, split by apiserver identity.',
      stability: 'ALPHA',
      labels: ['apiserver_id_hash', 'hash'],
    },
    (family) => {
      family.clear();
      if (counts.configuration !== '') family.with(server, counts.configuration).value = 1;
    },
  );
}
