import type { Clock } from '../../../api/base/clock.ts';
import type { Client } from '../../../api/client/client.ts';
import { findTime, formatTime } from '../../../api/meta/time.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import type { TokenRequest } from '../../../api/types/authentication-v1.ts';

interface TokenOrder {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podName: string;
  readonly podUID: string;
  /** '' : the API server's own. */
  readonly audience: string;
  readonly expirationSeconds: number;
}

/** Tokens of service accounts for Pods, bound to the Pod, kept until they near their end. */
export interface ServiceAccountTokens {
  get(order: TokenOrder): Promise<string>;
  /** With the time of its end, as drivers of volumes are given it. */
  getWithExpiry(order: TokenOrder): Promise<{ readonly token: string; readonly expirationTimestamp: string }>;
  forgetPod(uid: string): void;
}

interface Kept {
  readonly token: string;
  readonly expiresMs: number;
  readonly renewMs: number;
  readonly podUID: string;
}

const dayMs = 24 * 3600 * 1000;

export function createServiceAccountTokens({ client, clock }: { readonly client: Client; readonly clock: Clock }): ServiceAccountTokens {
  const kept = new Map<string, Kept>();
  const request = async (order: TokenOrder): Promise<Kept> => {
    const body: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: order.audience === '' ? [] : [order.audience],
        expirationSeconds: order.expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: order.podName, uid: order.podUID },
      },
    };
    const key = { namespace: order.namespace, name: order.serviceAccount };
    const { status } = await client(serviceAccounts).createSubresource<TokenRequest>(key, 'token', body);
    if (!status?.token) throw new Error(`the token of service account "${order.serviceAccount}" was not issued`);
    const now = clock.nowMs();
    const expiresMs = findTime(status.expirationTimestamp) ?? now + order.expirationSeconds * 1000;
    // A token is renewed after four fifths of its life, and at least every day.
    return { token: status.token, expiresMs, renewMs: now + Math.min((expiresMs - now) * 0.8, dayMs), podUID: order.podUID };
  };
  const find = async (order: TokenOrder): Promise<Kept> => {
    const id = JSON.stringify(order);
    const present = kept.get(id);
    if (present && clock.nowMs() < present.renewMs) return present;
    try {
      const fresh = await request(order);
      kept.set(id, fresh);
      return fresh;
    } catch (error) {
      if (present && clock.nowMs() < present.expiresMs) return present; // good for some time yet; the next visit tries again
      throw error;
    }
  };
  return {
    get: async (order) => (await find(order)).token,
    async getWithExpiry(order) {
      const { token, expiresMs } = await find(order);
      return { token, expirationTimestamp: formatTime(expiresMs) };
    },
    forgetPod(uid) {
      for (const [id, token] of kept) if (token.podUID === uid) kept.delete(id);
    },
  };
}
