import type { UserInfo } from '../meta/user-info.ts';
import type { Transport } from './transport.ts';

/** Sends every request as `user`. Only for in-process transports: an HTTP server ignores identities that it did not authenticate. */
export function withUser(transport: Transport, user: UserInfo): Transport {
  return (request) => transport({ ...request, user });
}
