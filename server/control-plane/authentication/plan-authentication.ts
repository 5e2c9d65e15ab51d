import type { AnonymousAccess } from '../../apiserver/authentication/anonymous.ts';
import { authenticationConfigurationKind } from '../../apiserver/authentication/jwt/configuration-types.ts';
import type {
  AnonymousFields,
  AuthenticationConfigurationFields,
  JWTAuthenticatorFields,
} from '../../apiserver/authentication/jwt/configuration-types.ts';
import { type SigningAlgorithm, signingAlgorithms } from '../../apiserver/authentication/jwt/jwt-authenticator.ts';
import {
  type JWTAuthenticatorConfiguration,
  validateAuthenticationConfiguration,
} from '../../apiserver/authentication/jwt/validate-configuration.ts';
import { decodeConfiguration } from '../../apiserver/configuration/decode-configuration.ts';
import { formatFieldErrors } from '../../../api/validation/field-error.ts';

/** kube-apiserver's flags of authentication, by their names; absent: not given. */
export interface AuthenticationFlags {
  readonly authenticationConfig?: string;
  readonly anonymousAuth?: boolean;
  readonly oidcIssuerUrl?: string;
  readonly oidcClientId?: string;
  readonly oidcCaFile?: string;
  readonly oidcUsernameClaim?: string;
  readonly oidcUsernamePrefix?: string;
  readonly oidcGroupsClaim?: string;
  readonly oidcGroupsPrefix?: string;
  readonly oidcSigningAlgs?: readonly string[];
  readonly oidcRequiredClaim?: ReadonlyMap<string, string>;
  readonly authenticationTokenWebhookConfigFile?: string;
  /** Milliseconds. */
  readonly authenticationTokenWebhookCacheTtl?: number;
  readonly authenticationTokenWebhookVersion?: string;
}

/** The files that the flags name, as far as they are needed to plan. */
interface AuthenticationFiles {
  /** The content of --authentication-config. */
  readonly configuration?: Uint8Array;
  /** The content of --oidc-ca-file, PEM. */
  readonly oidcCA?: string;
}

export interface AuthenticationPlan {
  readonly jwt: readonly JWTAuthenticatorConfiguration[];
  readonly algorithms: readonly SigningAlgorithm[];
  readonly anonymous: AnonymousAccess;
  /** `anonymous` of the configuration file, which must not change while the server runs. */
  readonly anonymousFields: AnonymousFields | undefined;
  readonly webhook?: { readonly kubeconfig: string; readonly version: 'v1' | 'v1beta1'; readonly cacheTTLMs: number };
}

const defaultWebhookTTLMs = 120_000;

/** Plans the authentication that flags and files ask for. Throws an Error with upstream's message for combinations that cannot be. */
export function planAuthentication(
  flags: AuthenticationFlags,
  files: AuthenticationFiles,
  { disallowedIssuers, anonymousByDefault }: { readonly disallowedIssuers: readonly string[]; readonly anonymousByDefault: boolean },
): AuthenticationPlan {
  checkCombinations(flags);
  const fields =
    files.configuration === undefined
      ? fieldsOfFlags(flags, files)
      : loadConfiguration(files.configuration, flags.authenticationConfig ?? '');
  const anonymousFields = files.configuration === undefined ? undefined : fields.anonymous;
  if (anonymousFields !== undefined && flags.anonymousAuth !== undefined)
    throw new Error(
      'anonymous: Forbidden: --anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file',
    );
  const { errors, jwt } = validateAuthenticationConfiguration(fields, disallowedIssuers);
  if (errors.length > 0) throw new Error(`invalid authentication configuration: ${formatFieldErrors(errors)}`);
  return {
    jwt,
    algorithms: files.configuration === undefined ? readAlgorithms(flags.oidcSigningAlgs ?? ['RS256']) : signingAlgorithms,
    anonymous: anonymousFields === undefined ? { isEnabled: flags.anonymousAuth ?? anonymousByDefault } : accessOf(anonymousFields),
    anonymousFields,
    ...planWebhook(flags),
  };
}

/** Decodes the file of --authentication-config. */
export function loadConfiguration(bytes: Uint8Array, file: string): AuthenticationConfigurationFields {
  try {
    // An empty file has no kind, unlike an empty AuthorizationConfiguration.
    if (bytes.length === 0) throw new Error("Object 'Kind' is missing in ''");
    return decodeConfiguration(bytes, authenticationConfigurationKind).object as AuthenticationConfigurationFields;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`failed to load authentication configuration from file ${JSON.stringify(file)}: ${reason}`, { cause: error });
  }
}

function checkCombinations(flags: AuthenticationFlags): void {
  const isOIDC = Object.entries(flags).some(([name, value]) => name.startsWith('oidc') && value !== undefined);
  const { authenticationConfig, oidcIssuerUrl = '', oidcClientId = '' } = flags;
  if (!isOIDC) return;
  if (authenticationConfig !== undefined) throw new Error('authentication-config file and oidc-* flags are mutually exclusive');
  if (oidcIssuerUrl === '' || oidcClientId === '')
    throw new Error('oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set');
}

function fieldsOfFlags(flags: AuthenticationFlags, { oidcCA }: AuthenticationFiles): AuthenticationConfigurationFields {
  const { oidcIssuerUrl: url, oidcClientId: client, oidcGroupsClaim: groups = '' } = flags;
  if (url === undefined || client === undefined) return {};
  const jwt: JWTAuthenticatorFields = {
    issuer: { url, audiences: [client], ...(oidcCA === undefined ? {} : { certificateAuthority: oidcCA }) },
    claimMappings: {
      username: { claim: flags.oidcUsernameClaim ?? 'sub', prefix: usernamePrefix(flags, url) },
      ...(groups === '' ? {} : { groups: { claim: groups, prefix: flags.oidcGroupsPrefix ?? '' } }),
    },
    claimValidationRules: [...(flags.oidcRequiredClaim ?? [])].map(([claim, requiredValue]) => ({ claim, requiredValue })),
  };
  return { jwt: [jwt] };
}

/** Without a prefix flag, user names from claims other than email are prefixed with the issuer; the prefix `-` means none. */
function usernamePrefix({ oidcUsernamePrefix: prefix = '', oidcUsernameClaim: claim = 'sub' }: AuthenticationFlags, url: string): string {
  if (prefix === '-') return '';
  return prefix === '' && claim !== 'email' ? `${url}#` : prefix;
}

function readAlgorithms(names: readonly string[]): readonly SigningAlgorithm[] {
  return names.map((name) => {
    const found = signingAlgorithms.find((one) => one === name);
    if (found === undefined) throw new Error(`oidc: unsupported signing alg: ${JSON.stringify(name)}`);
    return found;
  });
}

function accessOf({ enabled = false, conditions = [] }: AnonymousFields): AnonymousAccess {
  return { isEnabled: enabled, paths: conditions.map(({ path = '' }) => path) };
}

function planWebhook(flags: AuthenticationFlags): Pick<AuthenticationPlan, 'webhook'> {
  const { authenticationTokenWebhookConfigFile: kubeconfig, authenticationTokenWebhookVersion: version = 'v1beta1' } = flags;
  if (kubeconfig === undefined) return {};
  if (version !== 'v1' && version !== 'v1beta1')
    throw new Error(`unsupported authentication webhook version ${JSON.stringify(version)}, supported versions are "v1", "v1beta1"`);
  return { webhook: { kubeconfig, version, cacheTTLMs: flags.authenticationTokenWebhookCacheTtl ?? defaultWebhookTTLMs } };
}
