import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { KubeObject, UntypedObject } from '../../../api/meta/object.ts';
import { parseJSON } from '../../../api/serialization/json.ts';
import { StorageError, type StoredEntry } from '../storage.ts';
import type { CachedObject } from './watch-cache.ts';
import { parseAt, setResourceVersion } from './wire-json.ts';

/**
 * Objects larger than this are shared without being frozen, since freezing takes as long as parsing. Code that modifies shared objects
 * fails on smaller ones.
 */
const frozenBytes = 64 * 1024;

/** The facts about a stored resource that the cache needs. */
export interface CachedResource {
  /** The prefix of all its keys, e.g. /registry/pods/. */
  readonly resourcePrefix: string;
  readonly namespaced: boolean;
  /** The apiVersion of the stored version. */
  readonly apiVersion: string;
  readonly kind: string;
  /** Fields for field selectors besides metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, (object: DeepReadonly<KubeObject>) => string>>;
  /** Makes JSON of the storage version from a stored value (decryption, older versions). Absent: it is that. */
  readonly transform?: (value: Uint8Array, key: string) => Uint8Array;
}

/** How objects find their resource; the description may be replaced while the objects stay. */
export interface ResourceReference {
  current: CachedResource;
  /** Decodes values a real kube-apiserver wrote as protobuf (`k8s\0`) to JSON. */
  readonly decodeProtobuf: ((value: Uint8Array, key: string) => Uint8Array) | undefined;
}

type Stage = 'stored' | 'json' | 'wire';

const noLabels: Readonly<Record<string, string>> = Object.freeze({});

/**
 * One set of bytes that turns from the stored value into the wire form when that is first asked for. Parsed objects and
 * other encodings are held weakly: they last as long as somebody uses them, so that memory does not grow with reading.
 * A value that cannot be read throws StorageError 'corrupt' wherever its content is asked for.
 */
export class StoredObject implements CachedObject {
  readonly key: string;
  readonly revision: number;
  /** The size of the stored bytes; `size` is that of the form into which they were converted meanwhile. */
  readonly storedBytes: number;
  readonly #resource: ResourceReference;
  #bytes: Uint8Array;
  #stage: Stage;
  #labels: Readonly<Record<string, string>> | undefined;
  #fields: Readonly<Record<string, string>> | undefined;
  #parsed: WeakRef<DeepReadonly<UntypedObject>> | undefined;
  #encodings: Map<string, WeakRef<Uint8Array>> | undefined;

  constructor(resource: ResourceReference, key: string, revision: number, bytes: Uint8Array, stage: Stage = 'stored') {
    this.key = key;
    this.revision = revision;
    this.storedBytes = bytes.length;
    this.#resource = resource;
    this.#bytes = ownBytes(bytes);
    this.#stage = stage;
  }

  /** The object of the DELETED event: this state, with the revision of the delete. */
  deletedAt(revision: number): StoredObject {
    const deleted = new StoredObject(this.#resource, this.key, revision, this.#bytes, this.#stage === 'stored' ? 'stored' : 'json');
    deleted.#labels = this.#labels;
    deleted.#fields = this.#fields;
    return deleted;
  }

  get size(): number {
    return this.#bytes.length;
  }

  get namespace(): string {
    const slash = this.key.lastIndexOf('/');
    return this.#resource.current.namespaced ? this.key.slice(this.key.lastIndexOf('/', slash - 1) + 1, slash) : '';
  }

  get name(): string {
    return this.key.slice(this.key.lastIndexOf('/') + 1);
  }

  get json(): Uint8Array {
    if (this.#stage !== 'wire') {
      this.#bytes = this.#toWire();
      this.#stage = 'wire';
    }
    return this.#bytes;
  }

  labels(): Readonly<Record<string, string>> {
    this.#labels ??= this.#readLabels();
    return this.#labels;
  }

  field(name: string): string | undefined {
    if (name === 'metadata.name') return this.name;
    if (name === 'metadata.namespace') return this.namespace;
    const { selectableFields } = this.#resource.current;
    if (!Object.hasOwn(selectableFields, name)) return undefined;
    this.#fields ??= this.#readFields(selectableFields);
    return this.#fields[name];
  }

  object(): DeepReadonly<UntypedObject> {
    const known = this.#parsed?.deref();
    if (known) return known;
    const parsed = this.#parse();
    const object: DeepReadonly<UntypedObject> = this.size > frozenBytes ? parsed : deepFreeze(parsed);
    this.#parsed = new WeakRef(object);
    return object;
  }

  hasEncoded(representation: string): boolean {
    return this.#encodings?.get(representation)?.deref() !== undefined;
  }

  encoded(representation: string, make: (object: CachedObject) => Uint8Array): Uint8Array {
    const known = this.#encodings?.get(representation)?.deref();
    if (known) return known;
    const encoded = make(this);
    this.#encodings ??= new Map();
    this.#encodings.set(representation, new WeakRef(encoded));
    return encoded;
  }

  /** The object as an entry of the store that no resource has claimed. When it was created is not known here. */
  unclaimed(): StoredEntry {
    return { key: this.key, value: this.#bytes, createRevision: this.revision, modRevision: this.revision };
  }

  /** Drops derived values, after the resource's definition has changed. */
  forgetDerived(): void {
    this.#fields = undefined;
    this.#encodings = undefined;
  }

  #toWire(): Uint8Array {
    const { transform } = this.#resource.current;
    try {
      let json = this.#bytes;
      if (this.#stage === 'stored' && transform) json = transform(json, this.key);
      if (isProtobuf(json)) {
        const { decodeProtobuf } = this.#resource;
        if (!decodeProtobuf) throw new StorageError('corrupt', 'the stored value is protobuf, which this server was not set up to decode');
        json = decodeProtobuf(json, this.key);
      }
      return setResourceVersion(json, this.revision);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StorageError('corrupt', `${this.key} at revision ${this.revision} cannot be read: ${reason}`, { cause });
    }
  }

  #parse(): UntypedObject {
    const { value } = parseJSON(this.json);
    if (isObject(value)) return value;
    throw new StorageError('corrupt', `${this.key} at revision ${this.revision} cannot be read: it has no metadata`);
  }

  #readLabels(): Readonly<Record<string, string>> {
    const parsed = this.#parsed?.deref();
    const labels = parsed ? parsed.metadata.labels : parseAt(this.json, ['metadata', 'labels']);
    if (typeof labels !== 'object' || labels === null) return noLabels;
    return Object.freeze(
      Object.fromEntries(Object.entries(labels).filter((label): label is [string, string] => typeof label[1] === 'string')),
    );
  }

  #readFields(selectable: CachedResource['selectableFields']): Readonly<Record<string, string>> {
    const object = this.object();
    return Object.fromEntries(Object.entries(selectable).map(([name, value]) => [name, value(object)]));
  }
}

/** The wire form always has metadata. */
function isObject(value: unknown): value is UntypedObject {
  return typeof value === 'object' && value !== null && 'metadata' in value;
}

/** A small part of a large buffer (a message, a pool) would keep all of it in memory. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * bytes.byteLength + 64 ? new Uint8Array(bytes) : bytes;
}

/** The envelope of values that upstream writes as protobuf. */
function isProtobuf(value: Uint8Array): boolean {
  return value[0] === 0x6b && value[1] === 0x38 && value[2] === 0x73 && value[3] === 0;
}

function deepFreeze<T>(value: T): DeepReadonly<T>;
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (typeof value[index] === 'object') deepFreeze(value[index]);
    return Object.freeze(value);
  }
  const object = value as Record<string, unknown>;
  for (const key in object) if (typeof object[key] === 'object') deepFreeze(object[key]);
  return Object.freeze(value);
}
