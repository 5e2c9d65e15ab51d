import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { decodeBase64 } from '../../../base/base64.ts';
import { quote } from '../../../base/quote.ts';
import { formatAge } from '../../../meta/duration.ts';
import { formatTime } from '../../../meta/time.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateEach } from '../../../resource/field-rules.ts';
import { CertificateRequestError, parseCertificateRequest } from '../../../semantics/certificates/certificate-request.ts';
import { readDistinguishedName } from '../../../semantics/certificates/distinguished-name.ts';
import { readPEMBlocks } from '../../../semantics/certificates/pem.ts';
import { readCertificateSubject } from '../../../serialization/certificate-subject.ts';
import { DERError } from '../../../base/der.ts';
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '../../../types/certificates-v1.ts';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { nameIsPathSegment } from '../../../validation/names.ts';
import { validateSignerName } from './signer-name.ts';

const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const shortestSeconds = 600;

/** A request for a certificate. One client approves it, and a signer issues the certificate. */
export const certificateSigningRequests = defineResource<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'CertificateSigningRequest', plural: 'certificatesigningrequests', shortNames: ['csr'] },
  definition: 'io.k8s.api.certificates.v1.CertificateSigningRequest',
  resetFields: {
    status: [['spec'], ['status', 'conditions']],
    approval: [['spec'], ['status', 'certificate']],
  },
  subresources: {
    approval: { kind: 'CertificateSigningRequest', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'CertificateSigningRequest', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'certificatesigningrequests',
  nameRule: nameIsPathSegment,
  printerColumns: [
    nameColumn,
    ageColumn,
    textColumn('SignerName', ({ spec }) => spec?.signerName || '<none>'),
    textColumn('Requestor', ({ spec }) => spec?.username ?? ''),
    textColumn('RequestedDuration', ({ spec }) =>
      spec?.expirationSeconds === undefined ? '<none>' : formatAge(spec.expirationSeconds * 1000),
    ),
    textColumn('Condition', describe),
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec?.signerName ?? '' },
  /** Whom the certificate would speak for is not the requestor's to say. */
  prepareForCreate({ spec }, { user }) {
    if (!spec) return;
    for (const field of ['username', 'uid', 'groups', 'extra'] as const) delete spec[field];
    spec.username = user.name;
    if (user.uid) spec.uid = user.uid;
    if (user.groups.length > 0) spec.groups = [...user.groups];
    const extra = Object.entries(user.extra ?? {}).map(([key, values]): [string, string[]] => [key, [...values]]);
    if (extra.length > 0) spec.extra = Object.fromEntries(extra);
  },
  prepareForUpdate(request, old, { subresource, nowMs }) {
    if (subresource === '') {
      request.spec = structuredClone(old.spec) as CertificateSigningRequest['spec'];
      return;
    }
    const status = (request.status ??= {});
    if (subresource === 'approval') {
      // Approvers do not sign.
      if (old.status?.certificate === undefined) delete status.certificate;
      else status.certificate = old.status.certificate;
    } else {
      keepDecisions(status.conditions ?? [], old.status?.conditions ?? []);
    }
    stampConditions(status.conditions ?? [], old.status?.conditions ?? [], formatTime(nowMs));
  },
  validate: (request, path, { operation }) => (operation === 'create' ? validateRequest(request, path) : []),
  validateUpdate: (request, old, path, { subresource }) => (subresource === 'approval' ? validateStatus(request, old, path, true) : []),
  validateStatusUpdate: (request, old, path) => validateStatus(request, old, path, false),
});

function isDecision({ type }: { readonly type: string }): boolean {
  return type === 'Approved' || type === 'Denied';
}

/**
 * Restores the approval conditions after a signer's update: signers do not approve. Added or removed conditions are reported by validation.
 * Modifies.
 */
function keepDecisions(
  conditions: CertificateSigningRequestCondition[],
  old: readonly DeepReadonly<CertificateSigningRequestCondition>[],
): void {
  for (const decision of ['Approved', 'Denied']) {
    const before = old.filter(({ type }) => type === decision);
    const places = conditions.flatMap(({ type }, index) => (type === decision ? [index] : []));
    if (before.length !== places.length) continue;
    for (const [nth, index] of places.entries()) Object.assign(conditions[index] ?? {}, before[nth]);
  }
}

function describe({ status }: DeepReadonly<CertificateSigningRequest>): string {
  const has = (type: string) => status?.conditions?.some((condition) => condition.type === type) ?? false;
  const word = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return word + (has('Failed') ? ',Failed' : '') + (status?.certificate ? ',Issued' : '');
}

/** Times of conditions that have none. Modifies. */
function stampConditions(
  conditions: CertificateSigningRequestCondition[],
  old: readonly DeepReadonly<CertificateSigningRequestCondition>[],
  now: string,
): void {
  const keyOf = ({ type, status }: DeepReadonly<CertificateSigningRequestCondition>) => JSON.stringify([type, status]);
  const before = new Map(old.toReversed().map((condition) => [keyOf(condition), condition.lastTransitionTime]));
  for (const condition of conditions) {
    condition.lastUpdateTime ??= now;
    if (condition.lastTransitionTime) continue;
    condition.lastTransitionTime = before.get(keyOf(condition)) ?? now;
  }
}

function validateRequest({ spec }: DeepReadonly<CertificateSigningRequest>, path: FieldPath): FieldError[] {
  const at = path.child('spec');
  const { request = '', usages: asked = [], signerName = '', expirationSeconds } = spec ?? {};
  const errors: FieldError[] = [];
  const problem = requestProblem(request);
  if (problem !== undefined) errors.push(invalid(at.child('request'), request, problem));
  const usagesPath = at.child('usages');
  if (asked.length === 0) errors.push(required(usagesPath));
  const seen = new Set<string>();
  errors.push(
    ...validateEach(asked, usagesPath, (usage, usagePath) => (usages.includes(usage) ? [] : [notSupported(usagePath, usage, usages)])),
    ...validateEach(asked, usagesPath, (usage, usagePath) => {
      if (seen.has(usage)) return [duplicate(usagePath, usage)];
      seen.add(usage);
      return [];
    }),
  );
  const signerPath = at.child('signerName');
  if (signerName === 'kubernetes.io/legacy-unknown')
    errors.push(invalid(signerPath, signerName, 'the legacy signerName is not allowed via this API version'));
  else errors.push(...validateSignerName(signerName, signerPath));
  if (expirationSeconds !== undefined && expirationSeconds < shortestSeconds) {
    const detail = `may not specify a duration less than ${shortestSeconds} seconds (10 minutes)`;
    errors.push(invalid(at.child('expirationSeconds'), expirationSeconds, detail));
  }
  return errors;
}

/** The reason why the text, in base64, is not a certificate signing request that may be signed; undefined if it is one. */
function requestProblem(base64: string): string | undefined {
  try {
    parseCertificateRequest(new TextDecoder().decode(decodeBase64(base64)));
    return undefined;
  } catch (error) {
    if (error instanceof CertificateRequestError) return error.message;
    throw error;
  }
}

type Conditions = readonly DeepReadonly<CertificateSigningRequestCondition>[];

/** The status after the update of a subresource; decisions are for `approval` alone. */
function validateStatus(
  { status }: DeepReadonly<CertificateSigningRequest>,
  { status: old }: DeepReadonly<CertificateSigningRequest>,
  root: FieldPath,
  mayDecide: boolean,
): FieldError[] {
  const [conditions, before] = [status?.conditions ?? [], old?.conditions ?? []];
  const path = root.child('status', 'conditions');
  const certificatePath = root.child('status', 'certificate');
  const count = (list: Conditions, type: string) => list.filter((one) => one.type === type).length;
  const isAdded = (type: string) => !mayDecide && count(conditions, type) > count(before, type);
  const isResigned = Boolean(old?.certificate) && status?.certificate !== old?.certificate;
  return [
    ...validateConditions(conditions, path),
    ...(status?.certificate !== old?.certificate ? validateCertificate(status?.certificate ?? '', certificatePath) : []),
    ...['Approved', 'Denied', 'Failed']
      .filter((type) => count(conditions, type) < count(before, type))
      .map((type) => forbidden(path, `updates may not remove a condition of type "${type}"`)),
    ...['Approved', 'Denied'].filter(isAdded).map((type) => forbidden(path, `updates may not add a condition of type "${type}"`)),
    ...(isResigned ? [forbidden(certificatePath, 'updates may not modify existing certificate content')] : []),
  ];
}

function validateCertificate(base64: string, path: FieldPath): FieldError[] {
  const problem = base64 === '' ? undefined : certificateProblem(new TextDecoder().decode(decodeBase64(base64)));
  return problem === undefined ? [] : [invalid(path, '<certificate data>', problem)];
}

/** The reason why the text is not a list of PEM certificates; undefined if it is one. */
function certificateProblem(text: string): string | undefined {
  let count = 0;
  for (const { type, hasHeaders, bytes } of readPEMBlocks(text)) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${quote(type)}`;
    if (hasHeaders) return 'no PEM block headers are permitted';
    count++;
    try {
      readDistinguishedName(readCertificateSubject(bytes));
    } catch (error) {
      if (error instanceof DERError) return 'x509: malformed certificate';
      throw error;
    }
  }
  return count === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}

function validateConditions(conditions: Conditions, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return validateEach(conditions, path, ({ type, status }, at) => {
    const problems: FieldError[] = type ? [] : [required(at.child('type'))];
    const allowed = isDecision({ type }) || type === 'Failed' ? ['True'] : ['False', 'True', 'Unknown'];
    if (!status) problems.push(required(at.child('status')));
    else if (!allowed.includes(status)) problems.push(notSupported(at.child('status'), status, allowed));
    const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : '';
    if (seen.has(opposite)) problems.push(invalid(at.child('type'), type, 'Approved and Denied conditions are mutually exclusive'));
    if (seen.has(type)) problems.push(duplicate(at.child('type'), type));
    seen.add(type);
    return problems;
  });
}
