import { createHmac } from 'node:crypto';

/** Begins the keys of signatures in the ConfigMap; the token's id follows. */
const signaturePrefix = 'jws-kubeconfig-';

interface SigningToken {
  readonly id: string;
  readonly secret: string;
}

/** A detached signature (RFC 7515, appendix F) of the content with the token's secret as key (HS256), its id as `kid`. */
function signDetached(content: string, { id, secret }: SigningToken): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url');
  const signature = createHmac('sha256', secret)
    .update(`${header}.${Buffer.from(content).toString('base64url')}`)
    .digest('base64url');
  return `${header}..${signature}`;
}

/** The data with exactly one signature for each token; undefined if it has these already. */
export function resign(data: Readonly<Record<string, string>>, tokens: readonly SigningToken[]): Record<string, string> | undefined {
  const content = data['kubeconfig'];
  if (content === undefined) return undefined;
  const unsigned = Object.entries(data).filter(([key]) => !key.startsWith(signaturePrefix));
  const wanted = {
    ...Object.fromEntries(unsigned),
    ...Object.fromEntries(tokens.map((token) => [`${signaturePrefix}${token.id}`, signDetached(content, token)])),
  };
  const isSame =
    Object.keys(wanted).length === Object.keys(data).length && Object.entries(wanted).every(([key, value]) => data[key] === value);
  return isSame ? undefined : wanted;
}
