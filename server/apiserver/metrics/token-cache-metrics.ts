import type { TokenCacheMetrics } from '../authentication/token-cache.ts';
import type { MetricFamilies } from '../metric-families.ts';

/** Metrics of the cache of bearer tokens, under upstream's names. */
export function createTokenCacheMetrics(families: MetricFamilies): TokenCacheMetrics {
  const common = { stability: 'ALPHA', labels: ['status'] } as const;
  const seconds = families.histogram({
    ...{ ...common, name: 'authentication_token_cache_request_duration_seconds', help: '' },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const requests = families.counter({ ...common, name: 'authentication_token_cache_request_total', help: '' });
  const fetches = families.counter({ ...common, name: 'authentication_token_cache_fetch_total', help: '' });
  const active = families.gauge({ ...common, name: 'authentication_token_cache_active_fetch_count', help: '' });
  const [hit, miss] = (['hit', 'miss'] as const).map((status) => ({ requests: requests.with(status), seconds: seconds.with(status) }));
  return {
    asked(isHit, took) {
      const series = isHit ? hit : miss;
      series?.requests.add();
      series?.seconds.observe(took);
    },
    fetching() {
      active.with('in_flight').add();
      return (isOK) => {
        active.with('in_flight').add(-1);
        fetches.with(isOK ? 'ok' : 'error').add();
      };
    },
  };
}
