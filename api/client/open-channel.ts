import { createChannelPair } from './channel-pair.ts';
import { responseError } from './response-error.ts';
import type { APIRequest, APIResponse, ByteChannel, Transport } from './transport.ts';

/**
 * Makes a request that switches protocols (exec, attach, port-forward) and returns the caller's end of the connection with
 * the head of the answer. An answer other than 101 is thrown as its StatusError.
 */
export async function openChannel(
  transport: Transport,
  request: APIRequest,
): Promise<{ readonly channel: ByteChannel; readonly response: APIResponse }> {
  const response = await transport({ ...request, canUpgrade: true });
  if (response.status !== 101 || response.upgrade === undefined) throw await responseError(response);
  const [mine, theirs] = createChannelPair();
  response.upgrade(theirs);
  return { channel: mine, response };
}
