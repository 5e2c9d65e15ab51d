import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { cloneJSON } from '../../../../api/base/json-object.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import {
  apiVersionOf,
  type CustomOrigin,
  type ResourceDefinition,
  type StrategyContext,
} from '../../../../api/resource/resource-definition.ts';
import { parseJSON, stringifyJSON } from '../../../../api/serialization/json.ts';
import type { DecodingContext } from '../../bodies/decode-object.ts';
import type { PatchRequest } from '../../bodies/patch-change.ts';
import type { ChangeStrategy } from '../writes/settle-object.ts';
import type { FieldValidation } from '../../../../api/serialization/read-object.ts';
import type { ItemNotation } from '../../../../api/serialization/format-list-item.ts';
import {
  type Asker,
  type CustomSource,
  largeBytes,
  type LargeTask,
  type LargeTaskResult,
  type LargeWork,
  type Ownership,
  type ResourceKey,
} from './large-work.ts';

/** The result for a large object; `stored` holds the bytes for the store. */
export interface Settled {
  readonly warnings: readonly string[];
  readonly stored: Uint8Array | undefined;
  readonly isUnchanged: boolean;
}

/** The steps of a write between mutating and validating admission, for one large object. */
export interface Settling {
  /** Prepares the object, and also checks it if nothing comes in between. Modifies the object. */
  prepare(name: string, isAll: boolean, uid?: string): Promise<void>;
  /** Throws the errors that the rules of the kind have found. Modifies the object. */
  check(name: string): Promise<Settled>;
}

/** Handles the objects of one resource that are so large that they would hold the event loop, in another thread. */
export interface LargeObjects {
  /** Whether an object, or its sources, of these texts in total are decoded and checked in another thread. */
  isLarge(...texts: readonly (Uint8Array | undefined)[]): boolean;
  /** Whether an object of that many bytes is formatted in another thread. */
  isLargeText(size: number): boolean;
  /** Decodes a body of a create (then `ownership` is recorded) or an update. */
  read(context: DecodingContext, fieldValidation: FieldValidation, ownership: Ownership | undefined, asker: Asker): Promise<UntypedObject>;
  /** The object that `read` gave, with the ownership of its changes recorded. */
  own(object: UntypedObject, live: Uint8Array, nowMs: number, ownership: Ownership, asker: Asker): Promise<UntypedObject>;
  patch(
    patch: PatchRequest,
    live: Uint8Array | undefined,
    context: Pick<DecodingContext, 'nowMs' | 'addWarning'>,
    ownership: Ownership | undefined,
    asker: Asker,
  ): Promise<UntypedObject>;
  encode(json: Uint8Array, format: EncodedFormat, asker: Asker): Promise<Uint8Array>;
  /** An item of a list, if it is large. */
  writeItem(json: Uint8Array, notation: ItemNotation, asker: Asker): Promise<Uint8Array> | undefined;
  /**
   * Whether the ownership of changes of an object can be recorded elsewhere: not where managers have used versions into which
   * only a webhook converts.
   */
  canOwn(old: DeepReadonly<UntypedObject> | undefined): boolean;
  /** Whether ownership is recorded in the object already. */
  isOwned(object: UntypedObject): boolean;
  copy(object: UntypedObject): UntypedObject;
  /** undefined: the object is settled here. */
  settling(
    object: UntypedObject,
    live: (() => Uint8Array) | undefined,
    strategy: StrategyContext | ChangeStrategy,
    asker: Asker,
  ): Settling | undefined;
}

export type EncodedFormat = Extract<LargeTask, { kind: 'encode' }>['format'];

/** How an object has come from elsewhere. */
interface Origin {
  readonly json: Uint8Array;
  readonly isOwned: boolean;
}

export function createLargeObjects(definition: ResourceDefinition, work: LargeWork | undefined): LargeObjects {
  const origins = new WeakMap<UntypedObject, Origin>();
  const resource = createResourceKey(definition);
  const limit = limitOf(definition);
  const weigh = (text: Uint8Array | undefined) => (text === undefined ? 0 : (definition.weigh?.(text) ?? text.length));
  const isLarge = (...texts: readonly (Uint8Array | undefined)[]) => work !== undefined && sum(texts.map(weigh)) > limit;
  const isLargeText = (size: number) => work !== undefined && size > largeBytes;
  const run = (task: LargeTask, asker: Asker): Promise<LargeTaskResult> => {
    if (!work) throw new Error('there is nobody to work on large objects');
    return work.run(task, asker);
  };
  /** In a separate turn: the caller has parsed or serialised the object just before, or does so next. */
  const received = async ({ object: json }: LargeTaskResult, isOwned: boolean): Promise<UntypedObject> => {
    await work?.nextTurn();
    const object = parseJSON(json).value as UntypedObject;
    origins.set(object, { json, isOwned });
    return object;
  };
  const encode: LargeObjects['encode'] = async (json, format, asker) =>
    (await run({ kind: 'encode', resource: resource(), object: json, format }, asker)).object;
  return {
    isLarge,
    isLargeText,
    async read(context, fieldValidation, ownership, asker) {
      const { body, contentType, nowMs } = context;
      const whose = ownership ? { ownership: ownershipOf(ownership) } : {};
      const task = { kind: 'read', resource: resource(), body, contentType, fieldValidation, nowMs, ...whose } as const;
      const result = await run(task, asker);
      for (const warning of result.warnings) context.addWarning(warning);
      return received(result, ownership !== undefined);
    },
    async own(object, live, nowMs, ownership, asker) {
      const json = origins.get(object)?.json ?? stringifyJSON(object);
      return received(
        await run({ kind: 'own', resource: resource(), object: json, live, nowMs, ownership: ownershipOf(ownership) }, asker),
        true,
      );
    },
    async patch(patch, live, context, ownership, asker) {
      const { nowMs } = context;
      const whose = ownership ? { ownership: ownershipOf(ownership) } : {};
      const task = { kind: 'patch', resource: resource(), patch, nowMs, ...(live ? { live } : {}), ...whose } as const;
      const result = await run(task, asker);
      for (const warning of result.warnings) context.addWarning(warning);
      return received(result, ownership !== undefined);
    },
    encode,
    writeItem: (json, notation, asker) => (isLargeText(json.length) ? encode(json, `item:${notation}`, asker) : undefined),
    canOwn: (old) => !definition.conversionWebhook || !hasOtherVersions(old, apiVersionOf(definition)),
    isOwned: (object) => origins.get(object)?.isOwned === true,
    copy(object) {
      const copied = cloneJSON(object);
      const origin = origins.get(object);
      if (origin) origins.set(copied, origin);
      return copied;
    },
    settling(object, live, strategy, asker) {
      const json = live?.();
      if (!isLarge(origins.get(object)?.json, json)) return undefined;
      const changeStrategy = { bypassesStrategy: false, ...strategy };
      const task = { kind: 'settle', resource: resource(), strategy: changeStrategy, ...(json ? { live: json } : {}) } as const;
      return settlingOf(
        object,
        task,
        (step) => run(step, asker),
        async () => work?.nextTurn(),
      );
    },
  };
}

/** The size from which objects of the kind are large. */
function limitOf({ origin }: ResourceDefinition): number {
  const { once, perByte } = origin?.workFactor ?? { once: 0, perByte: 0 };
  return Math.max(0, largeBytes - once) / (1 + perByte);
}

function hasOtherVersions(object: DeepReadonly<UntypedObject> | undefined, own: string): boolean {
  return object?.metadata.managedFields?.some(({ apiVersion }) => apiVersion !== own) ?? false;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** Copies only the fields of managed fields. */
const ownershipOf = ({ fieldManager, subresource }: Ownership): Ownership => ({ fieldManager, subresource });

/** The key by which other threads know a resource. The definition of a custom kind is serialised when it is first needed. */
function createResourceKey({ group, version, names, origin }: ResourceDefinition): () => ResourceKey {
  const key = { group, version, plural: names.plural };
  if (!origin) return () => key;
  let whole: ResourceKey | undefined;
  return () => (whole ??= { ...key, custom: customSourceOf(origin.crd) });
}

function customSourceOf(crd: CustomOrigin['crd']): CustomSource {
  const bytes = stringifyJSON(crd);
  const json = new Uint8Array(new SharedArrayBuffer(bytes.length));
  json.set(bytes);
  return { id: `${crd.metadata.uid ?? ''}/${crd.metadata.resourceVersion ?? ''}`, json };
}

type SettleTask = Extract<LargeTask, { kind: 'settle' }>;

function settlingOf(
  object: UntypedObject,
  task: Pick<SettleTask, 'kind' | 'resource' | 'strategy' | 'live'>,
  run: (task: SettleTask) => Promise<LargeTaskResult>,
  nextTurn: () => Promise<void>,
): Settling {
  let last: LargeTaskResult | undefined;
  const step = async (name: string, steps: SettleTask['steps'], uid: string) => {
    await nextTurn();
    last = await run({ ...task, object: stringifyJSON(object), name, uid, steps });
    await nextTurn();
    replaceContent(object, parseJSON(last.object).value as UntypedObject);
  };
  return {
    prepare: (name, isAll, uid = '') => step(name, isAll ? 'all' : 'prepare', uid),
    async check(name) {
      if (last?.stored === undefined) await step(name, 'check', '');
      return { warnings: last?.warnings ?? [], stored: last?.stored, isUnchanged: last?.isUnchanged === true };
    },
  };
}

/** Replaces the content and keeps the object itself, which admission and hooks refer to. */
function replaceContent(object: UntypedObject, content: UntypedObject): void {
  for (const key of Object.keys(object)) if (!Object.hasOwn(content, key)) delete object[key];
  Object.assign(object, content);
}
