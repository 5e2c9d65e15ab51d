import { quote } from '../../../api/base/quote.ts';
import { abacProblem, type AuthorizerConfiguration, authorizerTypes, nameOfBuiltIn, type WebhookSettings } from './configuration.ts';

/** kube-apiserver's flags of authorization, by their names; those that are absent were not given. */
export interface AuthorizationFlags {
  readonly authorizationConfig?: string;
  readonly authorizationMode?: readonly string[];
  readonly authorizationWebhookConfigFile?: string;
  readonly authorizationWebhookVersion?: string;
  /** Milliseconds. */
  readonly authorizationWebhookCacheAuthorizedTtl?: number;
  readonly authorizationWebhookCacheUnauthorizedTtl?: number;
}

/** The source of the authorizers: a file, or the flags themselves. */
type PlannedAuthorization = { readonly file: string } | { readonly authorizers: readonly AuthorizerConfiguration[] };

const defaultModes = ['Node', 'RBAC'];
const reviewVersions: readonly WebhookSettings['reviewVersion'][] = ['v1', 'v1beta1'];

/** The authorizers that the flags ask for. Throws an Error with upstream's messages where they exclude each other. */
export function planAuthorization(flags: AuthorizationFlags): PlannedAuthorization {
  const { authorizationConfig: file, ...others } = flags;
  if (file !== undefined) {
    if (Object.values(others).some((value) => value !== undefined))
      throw new Error(
        '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
      );
    return { file };
  }
  const modes = flags.authorizationMode ?? defaultModes;
  const errors = modeErrors(modes, flags);
  if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
  return { authorizers: modes.flatMap((mode) => authorizerOf(mode, flags)) };
}

function modeErrors(modes: readonly string[], flags: AuthorizationFlags): string[] {
  const { authorizationWebhookConfigFile: webhookFile, authorizationWebhookVersion: version } = flags;
  const errors: string[] = [];
  if (modes.length === 0) errors.push('at least one authorization-mode must be passed');
  for (const mode of modes) {
    if (!authorizerTypes.some((type) => type === mode)) errors.push(`authorization-mode ${quote(mode)} is not a valid mode`);
    if (mode === 'ABAC') errors.push(`authorization-mode ABAC: ${abacProblem}`);
    if (mode === 'Webhook' && webhookFile === undefined) errors.push("authorization-mode Webhook's authorization config file not passed");
  }
  if (webhookFile !== undefined && !modes.includes('Webhook'))
    errors.push('cannot specify --authorization-webhook-config-file without mode Webhook');
  if (new Set(modes).size < modes.length)
    errors.push(`authorization-mode [${modes.map((mode) => quote(mode)).join(' ')}] has mode specified more than once`);
  if (version !== undefined && !reviewVersions.some((known) => known === version))
    errors.push(`unsupported webhook authorizer version ${quote(version)}, supported versions are "v1", "v1beta1"`);
  return errors;
}

function authorizerOf(mode: string, flags: AuthorizationFlags): AuthorizerConfiguration[] {
  const type = authorizerTypes.find((known) => known === mode);
  if (type === undefined || type === 'ABAC') return [];
  if (type !== 'Webhook') return [{ type, name: nameOfBuiltIn(type) }];
  const webhook: WebhookSettings = {
    authorizedTTLMs: flags.authorizationWebhookCacheAuthorizedTtl ?? 300_000,
    unauthorizedTTLMs: flags.authorizationWebhookCacheUnauthorizedTtl ?? 30_000,
    timeoutMs: 30_000,
    reviewVersion: reviewVersions.find((version) => version === flags.authorizationWebhookVersion) ?? 'v1beta1',
    failurePolicy: 'NoOpinion',
    kubeConfigFile: flags.authorizationWebhookConfigFile ?? '',
    matchConditions: [],
  };
  return [{ type, name: 'default', webhook }];
}
