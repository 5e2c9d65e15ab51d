import { getDefinitionSchema } from '../../../../api/schema/definition-schema.ts';
import type { PropertySchema, StructuralSchema } from '../../../../api/schema/structural-schema.ts';
import type { Status } from '../../../../api/meta/status.ts';

/** The answer of a webhook, as both versions of AdmissionReview have it. */
export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: Partial<Status>;
  /** In base64. */
  readonly patch?: string;
  readonly patchType?: string;
  readonly auditAnnotations?: Readonly<Record<string, string>>;
  readonly warnings?: readonly string[];
}

export interface AnsweredReview {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly response?: AdmissionResponse;
}

const text: StructuralSchema = { type: 'string', goType: 'string' };

function struct(goType: string, fields: Readonly<Record<string, StructuralSchema>>): StructuralSchema {
  const properties = new Map<string, PropertySchema>();
  for (const [field, schema] of Object.entries(fields))
    properties.set(field, { schema, required: false, omitEmpty: true, omitZero: true, pointer: true });
  return { name: goType, type: 'object', properties, goType };
}

/** The part of an AdmissionReview that an answer is read by; the request in it, which many webhooks send back, is not looked at. */
export const reviewSchema: StructuralSchema = struct('v1.AdmissionReview', {
  kind: text,
  apiVersion: text,
  response: struct('v1.AdmissionResponse', {
    uid: { ...text, goType: 'types.UID' },
    allowed: { type: 'boolean', goType: 'bool' },
    status: getDefinitionSchema('io.k8s.apimachinery.pkg.apis.meta.v1.Status'),
    patch: { type: 'string', format: 'byte', goType: '[]uint8' },
    patchType: { ...text, goType: 'v1.PatchType' },
    auditAnnotations: { type: 'object', additionalProperties: text, goType: 'map[string]string' },
    warnings: { type: 'array', items: text, goType: '[]string' },
  }),
});
