import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { DecodeError } from '../../../../api/schema/decode-error.ts';
import { decode } from '../../../../api/schema/decode.ts';
import { parseJSON, stringifyJSON } from '../../../../api/serialization/json.ts';
import { JSONSyntaxError } from '../../../../api/serialization/json-parser.ts';
import { quote } from '../../../../api/base/quote.ts';
import { namespaceOf } from '../admission-request.ts';
import type { AdmissionRequest } from '../admission.ts';
import type { MatchedResource } from '../matching/match-request.ts';
import { countTokens, maxTokens } from '../../webhooks/count-tokens.ts';
import { type AdmissionResponse, type AnsweredReview, reviewSchema } from './review-schema.ts';

/** Versions of AdmissionReview that the server speaks. */
export type ReviewVersion = 'v1' | 'v1beta1';

/** The first version of a webhook's list that the server speaks. */
export function findReviewVersion(versions: readonly string[]): ReviewVersion | undefined {
  return versions.find((version): version is ReviewVersion => version === 'v1' || version === 'v1beta1');
}

/** JSON of the objects that a review shows, made once for all webhooks that are shown the same. */
export interface ReviewedObjects {
  readonly object: Uint8Array;
  readonly oldObject: Uint8Array;
}

const nothing = Buffer.from('null');

/** JSON of an object as reviews show it; `null` where there is none. */
export function reviewedObject(object: DeepReadonly<UntypedObject> | undefined): Uint8Array {
  if (object === undefined) return nothing;
  if (!/^(?:Node|Pod|Service)[A-Za-z]*Options$/.test(String(object['kind']))) return stringifyJSON(object);
  // The options of a connection have no metadata.
  const { metadata: _, ...rest } = object;
  return stringifyJSON(rest);
}

/** The body of a call: an AdmissionReview with its request. */
export function formatReview(
  version: ReviewVersion,
  uid: string,
  request: AdmissionRequest,
  { resource, kind }: MatchedResource,
  objects: ReviewedObjects,
): Uint8Array {
  const { user, subresource, name } = request;
  const namespace = namespaceOf(request);
  const resourceOf = ({ group, version: of, names }: MatchedResource['resource']) => ({ group, version: of, resource: names.plural });
  const kindOf = ({ group, version: of, kind: name }: MatchedResource['kind']) => ({ group, version: of, kind: name });
  const head = {
    uid,
    kind: kindOf(kind),
    resource: resourceOf(resource),
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: kindOf(request.kind),
    requestResource: resourceOf(request.resource),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation: request.operation,
    userInfo: {
      ...(user.name === '' ? {} : { username: user.name }),
      ...(user.uid ? { uid: user.uid } : {}),
      ...(user.groups.length === 0 ? {} : { groups: user.groups }),
      ...(user.extra === undefined || Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
    },
  };
  return Buffer.concat([
    Buffer.from(
      `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/${version}","request":${JSON.stringify(head).slice(0, -1)},"object":`,
    ),
    objects.object,
    Buffer.from(',"oldObject":'),
    objects.oldObject,
    Buffer.from(`,"dryRun":${request.dryRun},"options":${JSON.stringify(request.options ?? null)}}}`),
  ]);
}

/** An answer of a webhook that breaks the rules of AdmissionReview. */
export class InvalidAnswer extends Error {
  override readonly name = 'InvalidAnswer';
}

/** An answer that cannot be read. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
}

/** Reads the body of an answer. Throws UnreadableAnswer with the message of a kube-apiserver's decoder. */
export function parseAnswer(body: Uint8Array): AnsweredReview {
  if (countTokens(body) > maxTokens) throw new UnreadableAnswer(`the response has more than ${maxTokens} values`);
  const unreadable = (problem: string) => new UnreadableAnswer(`couldn't get version/kind; json parse error: ${problem}`);
  try {
    const { value } = parseJSON(body);
    if (value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value))
      throw unreadable(describeNoObject(Array.isArray(value) ? 'array' : typeof value));
    return decode(value, reviewSchema).object as AnsweredReview;
  } catch (error) {
    // kube-apiserver takes an answer that does not begin as an object for YAML, and such a text for a string.
    if (error instanceof JSONSyntaxError) throw unreadable(isObject(body) ? error.message : describeNoObject('string'));
    if (error instanceof DecodeError) throw new UnreadableAnswer(error.message);
    throw error;
  }
}

function isObject(body: Uint8Array): boolean {
  return Buffer.from(body.subarray(0, 100)).toString().trimStart().startsWith('{');
}

function describeNoObject(type: string): string {
  const fields = '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  return `json: cannot unmarshal ${type} into Go value of type struct ${fields}`;
}

const group = 'admission.k8s.io';

/** Throws UnreadableAnswer for another kind or version than that of AdmissionReview. Absent ones are accepted. */
function checkKind(apiVersion: string, kind: string, version: ReviewVersion): void {
  if (apiVersion === '' || kind === '') return;
  const given = apiVersion === `${group}/v1` ? 'v1' : apiVersion === `${group}/v1beta1` ? 'v1beta1' : undefined;
  if (kind !== 'AdmissionReview' || given === undefined) {
    const scheme = 'k8s.io/apiserver/pkg/util/webhook/client.go:71';
    throw new UnreadableAnswer(`no kind ${quote(kind)} is registered for version ${quote(apiVersion)} in scheme ${quote(scheme)}`);
  }
  if (given !== version)
    throw new UnreadableAnswer(`converting (${given}.AdmissionReview) to (${version}.AdmissionReview): unknown conversion`);
}

/** The response of an answered review. Throws UnreadableAnswer for another kind, and InvalidAnswer where it breaks the rules of its version. */
export function checkAnswer(
  { apiVersion = '', kind = '', response }: AnsweredReview,
  { version, uid, isMutating }: { readonly version: ReviewVersion; readonly uid: string; readonly isMutating: boolean },
): AdmissionResponse {
  checkKind(apiVersion, kind, version);
  const refuse = (message: string) => new InvalidAnswer(message);
  if (!response) throw refuse('webhook response was absent');
  // Answers of v1beta1 were never checked, so its webhooks may leave out anything.
  if (version === 'v1beta1') {
    const { patchType: _, patch = '', ...rest } = response;
    return isMutating && patch !== '' ? { ...rest, patch, patchType: 'JSONPatch' } : rest;
  }
  if (response.uid !== uid) throw refuse(`expected response.uid=${quote(uid)}, got ${quote(response.uid ?? '')}`);
  if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview')
    throw refuse(`expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${shownKind(apiVersion, kind)}`);
  const { patch = '', patchType } = response;
  if (!isMutating) {
    if (patch !== '') throw refuse('validating webhook may not return response.patch');
    if (patchType !== undefined) throw refuse('validating webhook may not return response.patchType');
    return response;
  }
  if (patch !== '' && patchType === undefined) throw refuse('webhook returned response.patch but not response.patchType');
  if (patch === '' && patchType !== undefined) throw refuse('webhook returned response.patchType but not response.patch');
  if (patchType === '') throw refuse('webhook returned invalid response.patchType of ""');
  return response;
}

function shownKind(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}
