import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { Authorizer } from '../authorization/authorizer.ts';

/** Whether a user may `approve`, `sign` or `attest` for a signer, by its whole name or by its domain (`example.com/*`). */
export async function maySign(authorizer: Authorizer, user: UserInfo, verb: 'approve' | 'sign', signerName: string): Promise<boolean> {
  const [domain = ''] = signerName.split('/');
  for (const name of [signerName, `${domain}/*`]) {
    const { decision } = await authorizer.authorize({
      user,
      verb,
      isResourceRequest: true,
      namespace: '',
      apiGroup: 'certificates.k8s.io',
      apiVersion: '*',
      resource: 'signers',
      subresource: '',
      name,
      path: '',
    });
    if (decision === 'Allow') return true;
  }
  return false;
}
