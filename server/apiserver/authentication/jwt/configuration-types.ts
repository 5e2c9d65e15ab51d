import type { PropertySchema, StructuralSchema } from '../../../../api/schema/structural-schema.ts';
import type { ConfigurationKind } from '../../configuration/decode-configuration.ts';

/** AuthenticationConfiguration of apiserver.config.k8s.io; its versions have the same fields. */
export interface AuthenticationConfigurationFields {
  readonly jwt?: readonly JWTAuthenticatorFields[];
  readonly anonymous?: AnonymousFields;
}

export interface AnonymousFields {
  readonly enabled?: boolean;
  readonly conditions?: readonly { readonly path?: string }[];
}

export interface JWTAuthenticatorFields {
  readonly issuer?: IssuerFields;
  readonly claimValidationRules?: readonly ClaimValidationRule[];
  readonly claimMappings?: ClaimMappingFields;
  readonly userValidationRules?: readonly { readonly expression?: string; readonly message?: string }[];
}

export interface IssuerFields {
  readonly url?: string;
  readonly discoveryURL?: string;
  readonly certificateAuthority?: string;
  readonly audiences?: readonly string[];
  readonly audienceMatchPolicy?: string;
  readonly egressSelectorType?: string;
}

export interface ClaimValidationRule {
  readonly claim?: string;
  readonly requiredValue?: string;
  readonly expression?: string;
  readonly message?: string;
}

export interface PrefixedClaimOrExpression {
  readonly claim?: string;
  readonly prefix?: string;
  readonly expression?: string;
}

export interface ClaimMappingFields {
  readonly username?: PrefixedClaimOrExpression;
  readonly groups?: PrefixedClaimOrExpression;
  readonly uid?: { readonly claim?: string; readonly expression?: string };
  readonly extra?: readonly { readonly key?: string; readonly valueExpression?: string }[];
}

const text: StructuralSchema = { type: 'string', goType: 'string' };
const boolean: StructuralSchema = { type: 'boolean', goType: 'bool' };

function struct(version: string, name: string, fields: Readonly<Record<string, StructuralSchema>>): StructuralSchema {
  const properties = new Map<string, PropertySchema>();
  for (const [field, schema] of Object.entries(fields))
    properties.set(field, { schema, required: false, omitEmpty: true, omitZero: true, pointer: true });
  return { name, type: 'object', properties, goType: `${version}.${name}` };
}

const listOf = (items: StructuralSchema): StructuralSchema => ({ type: 'array', items, goType: `[]${items.goType}` });

function schemaOf(version: string): StructuralSchema {
  const prefixed = struct(version, 'PrefixedClaimOrExpression', { claim: text, prefix: text, expression: text });
  const jwt = struct(version, 'JWTAuthenticator', {
    issuer: struct(version, 'Issuer', {
      url: text,
      discoveryURL: text,
      certificateAuthority: text,
      audiences: listOf(text),
      audienceMatchPolicy: { ...text, goType: `${version}.AudienceMatchPolicyType` },
      egressSelectorType: { ...text, goType: `${version}.EgressSelectorType` },
    }),
    claimValidationRules: listOf(
      struct(version, 'ClaimValidationRule', { claim: text, requiredValue: text, expression: text, message: text }),
    ),
    claimMappings: struct(version, 'ClaimMappings', {
      username: prefixed,
      groups: prefixed,
      uid: struct(version, 'ClaimOrExpression', { claim: text, expression: text }),
      extra: listOf(struct(version, 'ExtraMapping', { key: text, valueExpression: text })),
    }),
    userValidationRules: listOf(struct(version, 'UserValidationRule', { expression: text, message: text })),
  });
  const anonymous = struct(version, 'AnonymousAuthConfig', {
    enabled: boolean,
    conditions: listOf(struct(version, 'AnonymousAuthCondition', { path: text })),
  });
  return struct(version, 'AuthenticationConfiguration', { jwt: listOf(jwt), anonymous });
}

export const authenticationConfigurationKind: ConfigurationKind = {
  group: 'apiserver.config.k8s.io',
  kind: 'AuthenticationConfiguration',
  versions: new Map(['v1', 'v1beta1', 'v1alpha1'].map((version) => [version, schemaOf(version)])),
  otherKinds: [
    'AdmissionConfiguration',
    'AuthorizationConfiguration',
    'EgressSelectorConfiguration',
    'EncryptionConfiguration',
    'TracingConfiguration',
  ],
};
