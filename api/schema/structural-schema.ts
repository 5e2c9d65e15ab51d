/**
 * The facts about a value that decoding, pruning, defaulting, strategic merge, server-side apply and protobuf need. Built-in
 * types get theirs from the generated facts (definition-schema.ts), custom resources from their CRD: the vocabulary is that of a
 * CRD's structural schema plus strategic merge and protobuf facts. References are already resolved: schemas of recursive types
 * are cyclic, so never walk one without a value beside it.
 */
export interface StructuralSchema {
  /** OpenAPI definition name, e.g. io.k8s.api.core.v1.Pod; absent for inline schemas. */
  readonly name?: string;
  /** 'any': whatever JSON there is (RawExtension, JSON). */
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'any';
  /** int32, int64, double, byte, date-time, micro-time, quantity, int-or-string, duration, fields-v1, raw-extension, ... */
  readonly format?: string;
  /** Fields of an object with a fixed set of fields. */
  readonly properties?: ReadonlyMap<string, PropertySchema>;
  /** Value schema of a map. */
  readonly additionalProperties?: StructuralSchema;
  /** Element schema of an array. */
  readonly items?: StructuralSchema;
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: 'atomic' | 'granular';
  /** Strategic merge: how a list or struct is merged; ['replace'] is the default. */
  readonly patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly patchMergeKey?: string;
  readonly enum?: readonly string[];
  /** Declared default: JSON, applied where the field is absent and its parent is present. */
  readonly default?: unknown;
  /** x-kubernetes-preserve-unknown-fields: fields that are not in `properties` are kept. */
  readonly preserveUnknownFields?: boolean;
  /** x-kubernetes-embedded-resource */
  readonly embeddedResource?: boolean;
  readonly nullable?: boolean;
  /**
   * The root of a custom kind: its values stay JSON. Decoding prunes them and leaves their types to validation; fields are in
   * the order of their names.
   */
  readonly isUnstructured?: boolean;
  /** Name of the Go type as upstream's decode errors show it, e.g. v1.PullPolicy, []v1.Container. */
  readonly goType?: string;
}

/** A field of an object: its value's schema (with the field's own list type, merge key and default) and its place. */
export interface PropertySchema {
  readonly schema: StructuralSchema;
  readonly required: boolean;
  readonly omitEmpty: boolean;
  /** The field is a struct (a time) that is left out when it is zero. Other structs are written as {} or null whatever omitEmpty says. */
  readonly omitZero?: boolean;
  /**
   * The field is a list that is read back as null when it has no elements: upstream stores protobuf, which cannot tell an empty list from
   * an absent one.
   */
  readonly nullWhenEmpty?: boolean;
  /** Go pointer: null/absent and the zero value differ. */
  readonly pointer: boolean;
  /** Protobuf field; absent for types that have no protobuf form. */
  readonly protobuf?: {
    readonly number: number;
    readonly type: string;
    readonly repeated: boolean /** Field numbers of the nested messages that stand for structs inlined in JSON, outermost first. */;
    readonly parent?: readonly number[];
  };
}
