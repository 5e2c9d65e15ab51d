import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseBoolean, parseDuration, parseNames } from './parse-flags.ts';

/** The flags of kube-apiserver's authentication, by their names. */
export function addAuthenticationOptions(command: Command): Command {
  const add = (option: Option) => void command.addOption(option);
  add(
    new Option(
      '--authentication-config <path>',
      'an AuthenticationConfiguration of apiserver.config.k8s.io/v1: issuers whose tokens are accepted, and who may come without; changes are taken over while the server runs (docs/authentication.md)',
    ),
  );
  add(
    new Option(
      '--anonymous-auth [boolean]',
      'serve requests without credentials as system:anonymous; false: they are answered 401 (default: true)',
    )
      .preset(true)
      .argParser(parseBoolean),
  );
  add(
    new Option(
      '--oidc-issuer-url <url>',
      'accept ID tokens of this OpenID Connect issuer, an https URL; for several issuers see --authentication-config',
    ),
  );
  add(new Option('--oidc-client-id <id>', 'the client that tokens must be for: it has to be in their aud'));
  add(new Option('--oidc-ca-file <path>', "CA of the issuer's server (default: those of the machine)"));
  add(new Option('--oidc-username-claim <claim>', 'claim of the token that is the user name (default: sub)'));
  add(
    new Option(
      '--oidc-username-prefix <prefix>',
      "put before user names; '-': nothing (default: the issuer's URL and '#', and nothing for the claim email)",
    ),
  );
  add(new Option('--oidc-groups-claim <claim>', 'claim of the token with its groups, a string or a list (default: no groups)'));
  add(new Option('--oidc-groups-prefix <prefix>', 'put before the names of groups (default: nothing)'));
  add(
    new Option('--oidc-signing-algs <names>', 'of RS, ES or PS and 256, 384 or 512: how tokens may be signed (default: RS256)').argParser(
      (text: string) => text.split(','),
    ),
  );
  add(
    new Option('--oidc-required-claim <claim=value>', 'a claim that tokens must have with that value; give it again for more').argParser(
      parseClaim,
    ),
  );
  add(new Option('--authentication-token-webhook-config-file <path>', 'a kubeconfig: which server is asked whose a bearer token is'));
  add(
    new Option('--authentication-token-webhook-cache-ttl <duration>', 'how long its answers are remembered (default: 2m0s)').argParser(
      parseDuration,
    ),
  );
  add(
    new Option('--authentication-token-webhook-version <version>', 'of the TokenReviews that it is sent: v1 or v1beta1 (default: v1beta1)'),
  );
  addTokenOptions(command);
  return command;
}

/** The flags of tokens that the API server itself knows or issues. */
function addTokenOptions(command: Command): void {
  const add = (option: Option) => void command.addOption(option);
  add(
    new Option(
      '--token-auth-file <path>',
      'static tokens: lines of token,user name,user uid and "group1,group2"; read at the start only, and good until they are taken out',
    ),
  );
  add(
    new Option(
      '--api-audiences <names>',
      'the audiences of the API: a token has to be for one of them (default: the issuers of service account tokens)',
    ).argParser(parseNames),
  );
  add(
    new Option(
      '--service-account-issuer <issuer>',
      'iss of service account tokens, an https URL where others are to verify them; may be repeated: the first is in new tokens, all are accepted (default: https://kubernetes.default.svc.cluster.local)',
    ).argParser((text: string, before: readonly string[] = []) => [...before, text]),
  );
}

function parseClaim(text: string, previous: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const at = text.indexOf('=');
  if (at < 0) throw new InvalidArgumentError('malformed pair, expect string=string');
  return new Map([...previous, [text.slice(0, at).trim(), text.slice(at + 1)]]);
}
