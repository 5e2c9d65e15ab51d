import type { Status } from '../../../api/meta/status.ts';
import type { CacheEvent } from '../../storage/watch-cache/watch-cache.ts';

/** The steps that the encoder makes frames of. */
export type WatchStep =
  | CacheEvent
  /** All that was there at the beginning has been sent (KEP-3157). */
  | { readonly type: 'INITIAL_END'; readonly revision: number }
  | { readonly type: 'ERROR'; readonly status: Status };
