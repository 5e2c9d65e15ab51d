import type { DeepReadonly } from '../../api/base/deep-readonly.ts';
import { nodeCertificatesAnnotation, parseNodeCertificates } from '../../api/semantics/certificates/cluster-authorities.ts';
import { isNodeReady } from '../../api/semantics/nodes/node-conditions.ts';
import type { Node } from '../../api/types/core-v1.ts';
import type { PKIContents } from './pki-files.ts';
import { authoritiesInRotation, findRotation } from './rotate-authorities.ts';

/** A node that would be locked out by the next step of a rotation. */
interface RotationBlocker {
  readonly node: string;
  readonly reason: string;
}

/**
 * The nodes that the next step of the rotation would lock out, by the certificates that they report: in `trusting` those that do not trust
 * the next authority yet, in `issuing` those that do not trust the present authority or use certificates of the other one.
 */
export function findBlockers(nodes: readonly DeepReadonly<Node>[], contents: PKIContents): RotationBlocker[] {
  const rotation = findRotation(contents);
  // Nodes have nothing to do with the front proxy's authority.
  if (rotation === undefined || !rotation.authorities.includes('ca')) return [];
  const { signing, other = '' } = authoritiesInRotation(contents);
  const wanted = rotation.phase === 'trusting' ? other : signing;
  return nodes.flatMap((node) => {
    const { name = '', annotations } = node.metadata;
    const stated = parseNodeCertificates(annotations?.[nodeCertificatesAnnotation]);
    const reason = reasonOf(stated, wanted, rotation.phase === 'issuing' ? other : undefined);
    if (reason === undefined) return [];
    return [{ node: name, reason: isNodeReady(node) ? reason : `${reason}; it is not ready` }];
  });
}

function reasonOf(stated: ReturnType<typeof parseNodeCertificates>, wanted: string, leaving: string | undefined): string | undefined {
  if (stated === undefined) return 'it does not state which authorities it trusts';
  if (!stated.trusted.includes(wanted)) return 'it does not trust the new authority yet';
  if (leaving === undefined) return undefined;
  if (stated.client === leaving) return 'it asks the API server with a certificate of the old authority';
  // A certificate by no known authority is one that the node signed itself.
  return stated.serving === leaving ? 'it serves with a certificate of the old authority' : undefined;
}
