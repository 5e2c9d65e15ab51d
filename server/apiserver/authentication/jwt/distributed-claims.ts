import { type JSONObject, getOwn, isJSONObject, setOwn } from '../../../../api/base/json-object.ts';
import { quote } from '../../../../api/base/quote.ts';
import type { IssuerClient } from './issuer-client.ts';
import { parseToken, type UnverifiedToken } from './parse-token.ts';

interface DistributedClaimOptions {
  /** The claim that may be kept elsewhere: that of the groups. */
  readonly claim: string;
  readonly client: IssuerClient;
  /** Verifies a token of the other issuer, which need not be the issuer of the token that refers to it. */
  verify(token: UnverifiedToken): Promise<void>;
}

/**
 * The claims with the distributed claim that `_claim_names` refers to (OpenID Connect Core 1.0, 5.6.2): the token from its endpoint is
 * verified like any other. Rejects with upstream's message.
 */
export async function expandDistributedClaim(claims: JSONObject, { claim, client, verify }: DistributedClaimOptions): Promise<JSONObject> {
  if (Object.hasOwn(claims, claim) || !Object.hasOwn(claims, '_claim_names')) return claims;
  const endpoint = findEndpoint(claims, claim);
  if (endpoint === undefined) return claims;
  const { url, bearerToken } = endpoint;
  const text = await fetchToken(client, url, bearerToken).catch((error: Error) => {
    throw new Error(`while getting distributed claim ${quote(claim)}: ${error.message}`, { cause: error });
  });
  const token = parseToken(text);
  if (token === undefined)
    throw new Error(`getting untrusted issuer from endpoint ${url} failed for claim ${quote(claim)}: malformed token`);
  await verify(token);
  if (!Object.hasOwn(token.claims, claim))
    throw new Error(`jwt returned by distributed claim endpoint ${quote(url)} did not contain claim: ${claim}`);
  const expanded = { ...claims };
  setOwn(expanded, claim, token.claims[claim]);
  return expanded;
}

interface Endpoint {
  readonly url: string;
  /** Absent: none is shown. */
  readonly bearerToken?: string;
}

/** undefined: the claim is not kept elsewhere. */
function findEndpoint(claims: JSONObject, claim: string): Endpoint | undefined {
  const names = claims['_claim_names'];
  if (!isJSONObject(names)) throw new Error('oidc: error parsing distributed claim names: it is not an object');
  const sources = getOwn(claims, '_claim_sources');
  if (sources === undefined) throw new Error('oidc: no claim sources');
  if (!isJSONObject(sources)) throw new Error('oidc: could not parse claim sources: it is not an object');
  const name = getOwn(names, claim);
  if (name === undefined) return undefined;
  const source = typeof name === 'string' ? getOwn(sources, name) : undefined;
  if (!isJSONObject(source)) throw new Error(`id token _claim_names contained a source ${String(name)} missing in _claims_sources`);
  const [url = '', bearerToken = ''] = [getOwn(source, 'endpoint'), getOwn(source, 'access_token')];
  if (typeof url !== 'string' || typeof bearerToken !== 'string') throw new Error('oidc: could not parse claim sources: not a string');
  // Aggregated claims are in the token itself, which upstream does not read either.
  return url === '' ? undefined : { url, ...(bearerToken === '' ? {} : { bearerToken }) };
}

async function fetchToken(client: IssuerClient, url: string, bearerToken: string | undefined): Promise<string> {
  const answer = await client.get(url, bearerToken === undefined ? {} : { bearerToken });
  if (answer.status < 200 || answer.status > 226)
    throw new Error(`error while getting distributed claim JWT: ${answer.status} ${answer.statusText}`);
  return new TextDecoder().decode(answer.body);
}
