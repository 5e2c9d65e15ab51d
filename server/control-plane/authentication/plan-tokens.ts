import type { Logger } from '../../../api/base/logger.ts';
import type { TokenAuthenticator } from '../../apiserver/authentication/authenticator.ts';
import { parseTokenFile, tokenFileAuthenticator } from '../../apiserver/authentication/token-file.ts';

/** kube-apiserver's flags for its own tokens, by their names; absent: not given. */
export interface TokenFlags {
  readonly tokenAuthFile?: string;
  readonly apiAudiences?: readonly string[];
  readonly serviceAccountIssuer?: readonly string[];
}

/** The tokens that the API server itself knows or issues. */
export interface TokenSetup {
  /** The issuers of service account tokens. New tokens contain the first one; all are accepted. */
  readonly issuers: readonly [string, ...string[]];
  /** The API server's own audiences; a token must be for one of them. */
  readonly audiences: readonly string[];
  /** The users of --token-auth-file. */
  readonly fromFile?: TokenAuthenticator;
}

/** The setup without flags. */
export const defaultTokens: TokenSetup = withDefaults({});

/** Plans the tokens by the flags. Throws an Error with upstream's message for flags that contradict each other. */
export function planTokens(
  flags: TokenFlags,
  { readText, logger }: { readonly readText: (file: string) => string; readonly logger: Logger },
): TokenSetup {
  const problems = issuerProblems(flags.serviceAccountIssuer ?? []);
  if (problems.length > 0) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`);
  const setup = withDefaults(flags);
  const { tokenAuthFile: file = '' } = flags;
  if (file === '') return setup;
  const { users, warnings } = parseTokenFile(readText(file), file);
  for (const warning of warnings) logger.warn(warning);
  return { ...setup, fromFile: tokenFileAuthenticator(users, setup.audiences) };
}

function withDefaults({ serviceAccountIssuer = [], apiAudiences = [] }: TokenFlags): TokenSetup {
  const [first = 'https://kubernetes.default.svc.cluster.local', ...others] = serviceAccountIssuer;
  const issuers = [first, ...others] as const;
  return { issuers, audiences: apiAudiences.length === 0 ? issuers : apiAudiences };
}

function issuerProblems(issuers: readonly string[]): string[] {
  return issuers.flatMap((issuer, index) => {
    if (issuer.includes(':') && !URL.canParse(issuer))
      return [`service-account-issuer ${JSON.stringify(issuer)} contained a ':' but was not a valid URL`];
    if (issuer === '') return ['service-account-issuer should not be an empty string'];
    return issuers.indexOf(issuer) < index ? [`service-account-issuer ${JSON.stringify(issuer)} is already specified`] : [];
  });
}
