import { quote } from '../../../api/base/quote.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Random } from '../../../api/base/random.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import { unexpectedError } from '../../../api/meta/status-errors.ts';
import { parseJSON, stringifyJSON } from '../../../api/serialization/json.ts';
import { JSONSyntaxError } from '../../../api/serialization/json-parser.ts';
import type { WebhookConversion } from '../../../api/types/apiextensions-v1.ts';
import { countTokens, maxTokens } from './count-tokens.ts';
import type { HookCaller } from './hook-caller.ts';
import { WebhookError } from './review-webhook.ts';

/** Converts custom objects of one version to another by the conversion webhook of their kind. Rejects with a StatusError 500. */
export type ConvertObjects = (
  webhook: DeepReadonly<WebhookConversion>,
  objects: readonly DeepReadonly<UntypedObject>[],
  toAPIVersion: string,
  signal: AbortSignal,
) => Promise<UntypedObject[]>;

/** The time of a call, as upstream has it. */
const timeoutMs = 30_000;
/** The most objects that one call converts. */
const maxObjects = 100;

const group = 'apiextensions.k8s.io';

export function createObjectConverter({ hooks, random }: { readonly hooks: HookCaller; readonly random: Random }): ConvertObjects {
  const convertSome: ConvertObjects = async (webhook, objects, toAPIVersion, signal) => {
    const [first] = objects;
    const about = `conversion webhook for ${first?.['apiVersion']}, Kind=${first?.['kind']}`;
    const fail = (problem: string) => unexpectedError(`${about} ${problem}`);
    const version = webhook.conversionReviewVersions.find((known) => known === 'v1' || known === 'v1beta1');
    if (version === undefined || !webhook.clientConfig) throw fail('failed: no supported conversion review versions');
    const uid = random.uuid();
    const apiVersion = `${group}/${version}`;
    const request = { uid, desiredAPIVersion: toAPIVersion, objects };
    const body = stringifyJSON({ kind: 'ConversionReview', apiVersion, request });
    try {
      const answer = await hooks.post(webhook.clientConfig, body, { signal, timeoutMs, userAgent: 'kube-apiserver-admission' });
      if (countTokens(answer) > maxTokens) throw fail(`failed: the response has more than ${maxTokens} values`);
      const converted = readAnswer(parseJSON(answer).value, { uid, apiVersion });
      if (converted.length !== objects.length) throw fail(`returned ${converted.length} objects, expected ${objects.length}`);
      return converted.map((object, index) =>
        checked(object, objects[index], toAPIVersion, `${about} returned invalid converted object at index ${index}`),
      );
    } catch (error) {
      if (error instanceof WebhookError || error instanceof InvalidAnswer || error instanceof JSONSyntaxError)
        throw fail(`failed: ${error.message}`);
      throw error;
    }
  };
  return async (webhook, objects, toAPIVersion, signal) => {
    const parts: Promise<UntypedObject[]>[] = [];
    for (let at = 0; at < objects.length; at += maxObjects)
      parts.push(convertSome(webhook, objects.slice(at, at + maxObjects), toAPIVersion, signal));
    return (await Promise.all(parts)).flat();
  };
}

class InvalidAnswer extends Error {
  override readonly name = 'InvalidAnswer';
}

interface Answer {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly response?: {
    readonly uid?: unknown;
    readonly result?: { readonly status?: unknown; readonly message?: unknown };
    readonly convertedObjects?: unknown;
  };
}

/** The objects of an answer of success. Throws InvalidAnswer. */
function readAnswer(value: unknown, { uid, apiVersion }: { readonly uid: string; readonly apiVersion: string }): readonly unknown[] {
  const { kind, apiVersion: given, response } = (value ?? {}) as Answer;
  const isFirst = apiVersion.endsWith('/v1');
  if (isFirst && (kind !== 'ConversionReview' || given !== apiVersion))
    throw new InvalidAnswer(
      `expected webhook response of ${apiVersion}, Kind=ConversionReview, got ${String(given ?? '')}, Kind=${String(kind ?? '')}`,
    );
  if (!response) throw new InvalidAnswer('no response provided');
  if (isFirst && response.uid !== uid)
    throw new InvalidAnswer(`expected response.uid=${quote(uid)}, got ${quote(String(response.uid ?? ''))}`);
  const { status = '', message } = response.result ?? {};
  if (status !== 'Success')
    throw new InvalidAnswer(
      typeof message === 'string' && message !== '' ? message : `response.result.status was '${String(status)}', not 'Success'`,
    );
  return Array.isArray(response.convertedObjects) ? (response.convertedObjects as unknown[]) : [];
}

/** The converted object with the metadata of the original: only labels and annotations may be others. Throws StatusError. */
function checked(value: unknown, original: DeepReadonly<UntypedObject> | undefined, apiVersion: string, about: string): UntypedObject {
  const object = value as UntypedObject | null;
  if (typeof object !== 'object' || object === null || Array.isArray(object) || !original)
    throw unexpectedError(`${about}: it is no object`);
  if (object['apiVersion'] !== apiVersion)
    throw unexpectedError(`${about}: invalid groupVersion (expected ${apiVersion}, received ${String(object['apiVersion'] ?? '')})`);
  if (object['kind'] !== original['kind'])
    throw unexpectedError(`${about}: invalid kind (expected ${String(original['kind'])}, received ${String(object['kind'] ?? '')})`);
  const { labels: _labels, annotations: _annotations, ...kept } = original.metadata;
  const own = (object.metadata ?? {}) as typeof original.metadata;
  for (const field of ['name', 'namespace', 'uid'] as const)
    if ((own[field] ?? '') !== (kept[field] ?? ''))
      throw unexpectedError(
        `${about}: invalid metadata.${field} (expected ${quote(kept[field] ?? '')}, received ${quote(own[field] ?? '')})`,
      );
  const metadata = {
    ...kept,
    ...(own.labels === undefined ? {} : { labels: own.labels }),
    ...(own.annotations === undefined ? {} : { annotations: own.annotations }),
  };
  return { ...object, metadata } as UntypedObject;
}
