import type { Clock } from '../../../api/base/clock.ts';
import type { Client } from '../../../api/client/client.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import { subjectAccessReviews } from '../../../api/resources/authorization/v1/subject-access-review.ts';

export interface RequestAttributes {
  readonly verb: string;
  /** Subresources of nodes; the first that is allowed suffices. */
  readonly subresources: readonly string[];
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Actions that change something although a WebSocket begins with a GET: a user who may only look must not run anything. */
const acting: ReadonlySet<string> = new Set(['exec', 'attach', 'portForward', 'run']);

/** Subresources of nodes by the first part of the path; everything else is `proxy`. */
const subresourcesOf: ReadonlyMap<string, readonly string[]> = new Map([
  ['stats', ['stats']],
  ['metrics', ['metrics']],
  ['logs', ['log']],
  ['healthz', ['healthz', 'proxy']],
  ['pods', ['pods', 'proxy']],
  ['runningpods', ['pods', 'proxy']],
]);

/**
 * The attributes of a request in terms of the API: subresources of nodes, as kubelets are authorized everywhere
 * (https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/); paths that only show something may be allowed
 * alone (KEP-2862). `path`: the decoded parts that the request is routed by.
 */
export function requestAttributes(method: string, [action = '']: readonly string[]): RequestAttributes {
  const verb = acting.has(action) ? 'create' : (verbs[method] ?? '');
  return { verb, subresources: subresourcesOf.get(action) ?? ['proxy'] };
}

/** Whether the API server allows it. */
export type PermitRequest = (user: UserInfo, attributes: RequestAttributes) => Promise<boolean>;

const keepAllowedMs = 5 * 60_000;
const keepDeniedMs = 30_000;

export function createRequestPermission({
  client,
  clock,
  nodeName,
}: {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
}): PermitRequest {
  const known = new Map<string, { readonly allowed: boolean; readonly untilMs: number }>();
  const review = async (user: UserInfo, verb: string, subresource: string): Promise<boolean> => {
    const key = JSON.stringify([user, verb, subresource]);
    const kept = known.get(key);
    if (kept && clock.nowMs() < kept.untilMs) return kept.allowed;
    const { status } = await client(subjectAccessReviews).create({
      metadata: {},
      spec: {
        user: user.name,
        groups: [...user.groups],
        ...(user.uid ? { uid: user.uid } : {}),
        ...(user.extra ? { extra: Object.fromEntries(Object.entries(user.extra).map(([name, values]) => [name, [...values]])) } : {}),
        resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName },
      },
    });
    const allowed = status?.allowed ?? false;
    if (known.size > 1000) known.clear();
    known.set(key, { allowed, untilMs: clock.nowMs() + (allowed ? keepAllowedMs : keepDeniedMs) });
    return allowed;
  };
  return async (user, { verb, subresources }) => {
    for (const subresource of subresources) if (await review(user, verb, subresource)) return true;
    return false;
  };
}
