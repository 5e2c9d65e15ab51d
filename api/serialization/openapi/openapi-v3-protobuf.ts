import {
  anything,
  double,
  each,
  encodeDocument,
  flag,
  inside,
  integer,
  isObject,
  mapOf,
  message,
  type MessageLayout,
  text,
  within,
  type WriteValue,
} from './openapi-protobuf.ts';

const reference = message(() => ({ fields: { $ref: [1, text], summary: [2, text], description: [3, text] } }));

/** A value that may be part of the document or a reference to another part. */
const orReference =
  (own: WriteValue): WriteValue =>
  (writer, number, value) =>
    (isObject(value) && value['$ref'] !== undefined ? inside(2, reference) : inside(1, own))(writer, number, value);

/** Only scalars can be encoded: other defaults are encoded as present and without a value. */
const defaultValue: WriteValue = (writer, number, value) =>
  within(writer, number, () => {
    if (typeof value === 'number') writer.double(1, value);
    else if (typeof value === 'boolean') writer.varint(2, Number(value));
    else if (typeof value === 'string') writer.text(3, value);
  });

const schema: WriteValue = orReference(message(() => schemaLayout));

const schemaLayout: MessageLayout = {
  fields: {
    nullable: [1, flag],
    readOnly: [3, flag],
    writeOnly: [4, flag],
    example: [7, anything],
    deprecated: [8, flag],
    title: [9, text],
    multipleOf: [10, double],
    maximum: [11, double],
    exclusiveMaximum: [12, flag],
    minimum: [13, double],
    exclusiveMinimum: [14, flag],
    maxLength: [15, integer],
    minLength: [16, integer],
    pattern: [17, text],
    maxItems: [18, integer],
    minItems: [19, integer],
    uniqueItems: [20, flag],
    maxProperties: [21, integer],
    minProperties: [22, integer],
    required: [23, each(text)],
    enum: [24, each(anything)],
    type: [25, text],
    allOf: [26, each(schema)],
    oneOf: [27, each(schema)],
    anyOf: [28, each(schema)],
    not: [29, message(() => schemaLayout)],
    items: [30, inside(1, each(schema))],
    properties: [31, mapOf(schema)],
    additionalProperties: [
      32,
      (writer, number, value) =>
        typeof value === 'boolean'
          ? within(writer, number, () => writer.varint(2, Number(value)))
          : inside(1, schema)(writer, number, value),
    ],
    default: [33, defaultValue],
    description: [34, text],
    format: [35, text],
  },
  extensions: 36,
};

const mediaTypes = mapOf(message(() => ({ fields: { schema: [1, schema] }, extensions: 5 })));

const parameter = orReference(
  message(() => ({
    fields: {
      name: [1, text],
      in: [2, text],
      description: [3, text],
      required: [4, flag],
      schema: [10, schema],
      content: [13, mediaTypes],
    },
    extensions: 14,
  })),
);

const response = orReference(message(() => ({ fields: { description: [1, text], content: [3, mediaTypes] }, extensions: 5 })));

const requestBody = orReference(
  message(() => ({ fields: { description: [1, text], content: [2, mediaTypes], required: [3, flag] }, extensions: 4 })),
);

const operation = message(() => ({
  fields: {
    tags: [1, each(text)],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    parameters: [6, each(parameter)],
    requestBody: [7, requestBody],
    responses: [8, mapOf(response, 2)],
    deprecated: [10, flag],
  },
  extensions: 13,
}));

const pathItem = message(() => ({
  fields: {
    $ref: [1, text],
    summary: [2, text],
    description: [3, text],
    get: [4, operation],
    put: [5, operation],
    post: [6, operation],
    delete: [7, operation],
    options: [8, operation],
    head: [9, operation],
    patch: [10, operation],
    parameters: [13, each(parameter)],
  },
  extensions: 14,
}));

const securityScheme = orReference(
  message(() => ({ fields: { type: [1, text], description: [2, text], name: [3, text], in: [4, text] }, extensions: 9 })),
);

const documentLayout: MessageLayout = {
  fields: {
    openapi: [1, text],
    info: [2, message(() => ({ fields: { title: [1, text], description: [2, text], version: [6, text] }, extensions: 7 }))],
    paths: [4, mapOf(pathItem)],
    components: [
      5,
      message(() => ({
        fields: {
          schemas: [1, mapOf(schema)],
          responses: [2, mapOf(response)],
          parameters: [3, mapOf(parameter)],
          requestBodies: [5, mapOf(requestBody)],
          securitySchemes: [7, mapOf(securityScheme)],
        },
        extensions: 10,
      })),
    ],
  },
  extensions: 9,
};

/**
 * An OpenAPI v3 document as message `openapi.v3.Document` of gnostic (github.com/google/gnostic, openapiv3). Throws where
 * the document has something that no Kubernetes API has.
 */
export function encodeOpenAPIV3(json: Uint8Array): Uint8Array {
  return encodeDocument(documentLayout, json);
}
