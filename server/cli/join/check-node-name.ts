import { systemClock } from '../../../api/base/system-clock.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { isNodeReady } from '../../../api/semantics/nodes/node-conditions.ts';

/**
 * Makes sure, as `kubeadm join` does, that a joining machine does not replace another node of the same name. Throws an error for the user,
 * also if the cluster does not accept the token.
 */
export async function checkNodeName(
  name: string,
  { server, caPEM, token }: { readonly server: string; readonly caPEM: string; readonly token: string },
): Promise<void> {
  // Loaded only here: most commands are no clients.
  const { createHTTPTransport } = await import('../../../api/client/http-transport.ts');
  const http = createHTTPTransport({ server, ca: caPEM, token: () => token, clock: systemClock });
  try {
    const present = await ignoreNotFound(createClient(http.transport, { userAgent: 'kubets' })(nodes).get({ namespace: '', name }));
    if (present !== undefined && isNodeReady(present))
      throw new Error(`the cluster has a node "${name}" that is ready: choose another name with --node-name, or delete that node first`);
  } catch (error) {
    if (!hasReason(error, 'Unauthorized')) throw error;
    throw new Error(`${server} does not accept the token: it is not meant for authentication, or has just expired`, { cause: error });
  } finally {
    http.close();
  }
}
