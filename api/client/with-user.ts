import type { UserInfo } from '../meta/user-info.ts';
import type { Transport } from './transport.ts';

/** Makes every request as `user`. Only for in-process transports: an HTTP edge ignores what it did not authenticate. */
export function withUser(transport: Transport, user: UserInfo): Transport {
  return (request) => transport({ ...request, user });
}
