import type { AuthorizationDecision } from '../authorization/authorizer.ts';
import type { MetricFamilies } from '../metric-families.ts';

const buckets = Array.from({ length: 15 }, (_, index) => 0.001 * 2 ** index);

/** Metrics of users and their permissions. */
export interface AccessMetrics {
  /** `failure`: the identity of the client could not be determined; `error`: its credentials are wrong. */
  authenticated(result: 'success' | 'failure' | 'error', userName: string, seconds: number): void;
  /** `error`: the request was not allowed, and an authorizer failed. */
  authorized(result: AuthorizationDecision['decision'] | 'error', seconds: number): void;
}

const decisionLabels = { Allow: 'allowed', Deny: 'denied', NoOpinion: 'no-opinion', error: 'error' } as const;

/** The user names that metrics distinguish, as upstream's do, since users may have any name. */
const knownUsers: ReadonlySet<string> = new Set(['admin', 'client', 'kube_proxy', 'kubelet', 'system:serviceaccount:kube-system:default']);

export function createAccessMetrics(families: MetricFamilies): AccessMetrics {
  const results = ['success', 'failure', 'error'] as const;
  const attempts = families.counter({
    name: 'authentication_attempts',
    help: 'Counter of authenticated attempts.',
    stability: 'ALPHA',
    labels: ['result'],
  });
  const authenticationSeconds = families.histogram({
    name: 'authentication_duration_seconds',
    help: 'Authentication duration in seconds broken out by result.',
    stability: 'ALPHA',
    labels: ['result'],
    buckets,
  });
  const users = families.counter({
    name: 'authenticated_user_requests',
    help: 'Counter of authenticated requests broken out by username.',
    stability: 'ALPHA',
    labels: ['username'],
  });
  const authorizations = families.counter({
    name: 'authorization_attempts_total',
    help: "Counter of authorization attempts broken down by result. It can be either 'allowed', 'denied', 'no-opinion' or 'error'.",
    stability: 'ALPHA',
    labels: ['result'],
  });
  const authorizationSeconds = families.histogram({
    name: 'authorization_duration_seconds',
    help: 'Authorization duration in seconds broken out by result.',
    stability: 'ALPHA',
    labels: ['result'],
    buckets,
  });
  const lazily = <K extends string, S>(make: (key: K) => S): ((key: K) => S) => {
    const made = new Map<K, S>();
    return (key) => {
      const present = made.get(key);
      if (present !== undefined) return present;
      const created = make(key);
      made.set(key, created);
      return created;
    };
  };
  const ofResult = lazily((result: (typeof results)[number]) => ({
    count: attempts.with(result),
    seconds: authenticationSeconds.with(result),
  }));
  const ofUser = lazily((name: string) => users.with(name));
  const ofDecision = lazily((decision: keyof typeof decisionLabels) => ({
    count: authorizations.with(decisionLabels[decision]),
    seconds: authorizationSeconds.with(decisionLabels[decision]),
  }));
  return {
    authenticated(result, userName, seconds) {
      const { count, seconds: histogram } = ofResult(result);
      count.add();
      histogram.observe(seconds);
      if (result === 'success') ofUser(knownUsers.has(userName) ? userName : userName.includes('@') ? 'email_id' : 'other').add();
    },
    authorized(decision, seconds) {
      const { count, seconds: histogram } = ofDecision(decision);
      count.add();
      histogram.observe(seconds);
    },
  };
}
