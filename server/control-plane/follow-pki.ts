import { type Clock, sleep } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import { mapWatched, type WatchedValue } from '../../api/base/watched-value.ts';
import type { Client } from '../../api/client/client.ts';
import { type PublishedAuthorities, publishAuthorities } from '../apiserver/bootstrap/publish-authorities.ts';
import {
  followServiceAccountKeys,
  readServiceAccountKeys,
  type ServiceAccountKeys,
} from '../apiserver/authentication/service-account-keys.ts';
import { splitPublicKeys } from '../pki/pem-bundle.ts';
import type { FrontProxy } from './open-front-proxy.ts';
import type { ClusterPKI } from '../pki/ensure-cluster-pki.ts';
import type { ServingEndpoint } from '../serving/serve.ts';

interface FollowDependencies {
  readonly endpoint: Pick<ServingEndpoint, 'setCertificate'>;
  /** Acts as the API server itself. */
  readonly client: Client;
  readonly frontProxy: FrontProxy;
  readonly joining: NonNullable<PublishedAuthorities['joining']>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The authorities of client certificates, as they are published to clients. */
export function clientCAs({ clusterCA }: ClusterPKI, frontProxy: Pick<FrontProxy, 'authoritiesPEM'>): readonly string[] {
  return [clusterCA.certificatePEM, ...frontProxy.authoritiesPEM()];
}

/** Serves with the present certificate, and publishes the authorities to the cluster, until the signal is aborted. */
export function followPKI(pki: WatchedValue<ClusterPKI>, dependencies: FollowDependencies, signal: AbortSignal): void {
  const { endpoint, client, joining, frontProxy, clock, logger } = dependencies;
  const publish = untilDone(
    () => {
      const authorities = { clusterCAPEM: pki.get().clusterCA.certificatePEM, ...frontProxy.published() };
      return publishAuthorities({ ...authorities, joining }, { client, clock });
    },
    { clock, logger },
    signal,
  );
  // A change that came before the endpoint was there.
  const present = () => endpoint.setCertificate(pki.get().server, { clientCAsPEM: clientCAs(pki.get(), frontProxy) });
  const change = () => {
    present();
    publish();
  };
  present();
  pki.onChange(change);
  void frontProxy.followAuthorities(change, signal);
}

/** The present key signs; it and older ones verify. */
export function serviceAccountKeys(pki: WatchedValue<ClusterPKI>): ServiceAccountKeys {
  const keys = mapWatched(pki, ({ serviceAccountKey: { privateKeyPEM, publicKeyPEM } }) =>
    readServiceAccountKeys(privateKeyPEM, splitPublicKeys(publicKeyPEM)),
  );
  return followServiceAccountKeys(keys.get);
}

const retryMs = 5000;

/** Does the work after each call, repeatedly until it succeeds; calls in the meantime cause one more run. */
function untilDone(
  work: () => Promise<void>,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): () => void {
  let isWanted = false;
  let isRunning = false;
  const run = async () => {
    isRunning = true;
    while (isWanted && !signal.aborted) {
      isWanted = false;
      try {
        await work();
      } catch (error) {
        isWanted = true;
        logger.warn('changed authorities could not be published yet', { error });
        await sleep(clock, retryMs, signal).catch(() => undefined); // aborted
      }
    }
    isRunning = false;
  };
  return () => {
    isWanted = true;
    if (!isRunning) void run();
  };
}
