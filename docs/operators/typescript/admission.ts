import { defaultDomain, findOwner, hostOf, keyOf, type Website } from './website.ts';

interface AdmissionRequest {
  readonly uid: string;
  readonly operation: string;
  readonly object: Website;
}

interface Verdict {
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  readonly warnings?: readonly string[];
}

/** Answers an AdmissionReview with an allowed or refused request, or with a JSON patch. */
function answer(review: unknown, decide: (request: AdmissionRequest) => object): object {
  const { request } = review as { readonly request?: AdmissionRequest };
  if (!request) throw new Error('the review has no request');
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: request.uid, ...decide(request) } };
}

/** The mutating webhook: fills in the host, which depends on the name and so cannot be a default of the schema. */
export const answerMutation = (review: unknown): object =>
  answer(review, ({ object }) => {
    const patch = planDefaults(object);
    if (patch.length === 0) return { allowed: true };
    return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  });

export function planDefaults({ metadata, spec }: Website): readonly object[] {
  // With generateName the name is made after the mutating webhooks: then the host stays absent, and hostOf knows it.
  if (spec.host || !metadata?.name) return [];
  return [{ op: 'add', path: '/spec/host', value: `${metadata.name}.${metadata.namespace ?? ''}.${defaultDomain}` }];
}

/** The validating webhook: looks at all other websites, which a rule in the schema cannot. */
export const answerValidation = (review: unknown, websites: readonly Website[]): object =>
  answer(review, ({ object }) => judge(object, websites));

export function judge(website: Website, websites: readonly Website[]): Verdict {
  const host = hostOf(website);
  const owner = findOwner(
    websites.filter((other) => keyOf(other) !== keyOf(website)),
    host,
  );
  if (owner) return refuse(`spec.host: ${host} belongs to the website ${keyOf(owner)}`);
  const warnings = website.spec.replicas === 1 ? ['one replica only: the website is away while its Pod is replaced'] : [];
  return { allowed: true, ...(warnings.length > 0 && { warnings }) };
}

const refuse = (message: string): Verdict => ({ allowed: false, status: { code: 409, reason: 'Conflict', message } });
