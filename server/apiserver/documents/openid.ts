import type { APIResponse } from '../../../api/client/transport.ts';
import type { ServiceAccountKeys } from '../authentication/service-account-keys.ts';

/** The documents that others need to verify service account tokens (KEP-1393). */
export interface OpenIDDocuments {
  configuration(): APIResponse;
  jwks(): APIResponse;
}

/** Undefined if no client could verify tokens of the issuer; the reason is passed to `onProblem`. */
export function createOpenIDDocuments(
  keys: ServiceAccountKeys,
  issuer: string,
  externalAddress: string,
  onProblem: (problem: string) => void,
): OpenIDDocuments | undefined {
  const problem = issuerProblem(issuer);
  if (problem !== undefined) {
    onProblem(
      `Could not construct pre-rendered responses for ServiceAccountIssuerDiscovery endpoints. Endpoints will not be enabled. Error: ${problem}`,
    );
    return undefined;
  }
  const configuration = () => ({
    issuer,
    jwks_uri: `https://${externalAddress}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(keys.verification.map(({ algorithm }) => algorithm))],
  });
  const jwks = () => ({
    keys: keys.verification.map(({ id, algorithm, key }) => {
      const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
      return { use: 'sig', kty, kid: id, ...(crv === undefined ? {} : { crv }), alg: algorithm, ...(kty === 'RSA' ? { n, e } : { x, y }) };
    }),
  });
  const respond = (contentType: string, document: unknown): APIResponse => ({
    status: 200,
    headers: { 'content-type': contentType, 'cache-control': 'public, max-age=3600' },
    body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify(document)) },
  });
  return {
    configuration: () => respond('application/json', configuration()),
    jwks: () => respond('application/jwk-set+json', jwks()),
  };
}

function issuerProblem(issuer: string): string | undefined {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url?.protocol !== 'https:') return `issuer URL must use https scheme, got: ${issuer}`;
  if (issuer.includes('?')) return `issuer URL may not include a query, got: ${issuer}`;
  return url.hash === '' ? undefined : `issuer URL may not include a fragment, got: ${issuer}`;
}
