import type { PropertySchema, StructuralSchema } from '../../../api/schema/structural-schema.ts';
import type { ConfigurationKind } from '../configuration/decode-configuration.ts';

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
  const connectionInfo = struct(version, 'WebhookConnectionInfo', { type: text, kubeConfigFile: text });
  const matchCondition = struct(version, 'WebhookMatchCondition', { expression: text });
  const webhook = struct(version, 'WebhookConfiguration', {
    authorizedTTL: text,
    cacheAuthorizedRequests: boolean,
    unauthorizedTTL: text,
    cacheUnauthorizedRequests: boolean,
    timeout: text,
    subjectAccessReviewVersion: text,
    matchConditionSubjectAccessReviewVersion: text,
    failurePolicy: text,
    connectionInfo,
    matchConditions: listOf(matchCondition),
  });
  const authorizer = struct(version, 'AuthorizerConfiguration', { type: text, name: text, webhook });
  return struct(version, 'AuthorizationConfiguration', { authorizers: listOf(authorizer) });
}

/** AuthorizationConfiguration of apiserver.config.k8s.io. */
export const authorizationConfigurationKind: ConfigurationKind = {
  group: 'apiserver.config.k8s.io',
  kind: 'AuthorizationConfiguration',
  versions: new Map(['v1', 'v1beta1', 'v1alpha1'].map((version) => [version, schemaOf(version)])),
  otherKinds: [
    'AdmissionConfiguration',
    'AuthenticationConfiguration',
    'EgressSelectorConfiguration',
    'EncryptionConfiguration',
    'TracingConfiguration',
  ],
};
