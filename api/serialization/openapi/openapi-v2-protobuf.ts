import type { ProtobufWriter } from '../protobuf/wire.ts';
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

const schema: WriteValue = message(() => schemaLayout);

const schemaLayout: MessageLayout = {
  fields: {
    $ref: [1, text],
    format: [2, text],
    title: [3, text],
    description: [4, text],
    default: [5, anything],
    multipleOf: [6, double],
    maximum: [7, double],
    exclusiveMaximum: [8, flag],
    minimum: [9, double],
    exclusiveMinimum: [10, flag],
    maxLength: [11, integer],
    minLength: [12, integer],
    pattern: [13, text],
    maxItems: [14, integer],
    minItems: [15, integer],
    uniqueItems: [16, flag],
    maxProperties: [17, integer],
    minProperties: [18, integer],
    required: [19, each(text)],
    enum: [20, each(anything)],
    additionalProperties: [
      21,
      (writer, number, value) =>
        typeof value === 'boolean'
          ? within(writer, number, () => writer.varint(2, Number(value)))
          : inside(1, schema)(writer, number, value),
    ],
    type: [22, inside(1, each(text))],
    items: [23, inside(1, each(schema))],
    allOf: [24, each(schema)],
    properties: [25, mapOf(schema)],
    readOnly: [27, flag],
    example: [30, anything],
  },
  extensions: 31,
};

/** A parameter outside of the body: those of queries and forms have one field more, which shifts the following field numbers. */
function parameterLayout(shift: number): MessageLayout {
  return {
    fields: {
      required: [1, flag],
      in: [2, text],
      description: [3, text],
      name: [4, text],
      type: [5 + shift, text],
      format: [6 + shift, text],
      default: [9 + shift, anything],
      pattern: [16 + shift, text],
      uniqueItems: [19 + shift, flag],
    },
    extensions: 22 + shift,
  };
}

const bodyParameter = message(() => ({
  fields: { description: [1, text], name: [2, text], in: [3, text], required: [4, flag], schema: [5, schema] },
  extensions: 6,
}));
const shifted = parameterLayout(1);
const unshifted = parameterLayout(0);
const otherParameters: Readonly<Record<string, readonly [number, WriteValue]>> = {
  header: [1, message(() => unshifted)],
  formData: [2, message(() => shifted)],
  query: [3, message(() => shifted)],
  path: [4, message(() => unshifted)],
};

const reference = message(() => ({ fields: { $ref: [1, text], description: [2, text] } }));

/** A parameter is nested in three messages, each of which selects its kind. */
const parameter: WriteValue = (writer, number, value) => {
  const given = isObject(value) ? value : {};
  if (given['$ref'] !== undefined) return inside(2, reference)(writer, number, value);
  if (given['in'] === 'body') return inside(1, inside(1, bodyParameter))(writer, number, value);
  const known = otherParameters[String(given['in'])];
  if (!known) throw new Error(`an OpenAPI v2 document has a parameter in ${given['in']}`);
  return inside(1, inside(2, inside(...known)))(writer, number, value);
};

const response: WriteValue = (writer, number, value) => {
  const layout: MessageLayout = { fields: { description: [1, text], schema: [2, inside(1, schema)] }, extensions: 5 };
  inside(
    1,
    message(() => layout),
  )(writer, number, value);
};

const security: WriteValue = mapOf((writer, number, value) => within(writer, number, () => each(text)(writer, 1, value)));

const operation = message(() => ({
  fields: {
    tags: [1, each(text)],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    produces: [6, each(text)],
    consumes: [7, each(text)],
    parameters: [8, each(parameter)],
    responses: [9, mapOf(response)],
    schemes: [10, each(text)],
    deprecated: [11, flag],
    security: [12, each(security)],
  },
  extensions: 13,
}));

const pathItem = message(() => ({
  fields: {
    $ref: [1, text],
    get: [2, operation],
    put: [3, operation],
    post: [4, operation],
    delete: [5, operation],
    options: [6, operation],
    head: [7, operation],
    patch: [8, operation],
    parameters: [9, each(parameter)],
  },
  extensions: 10,
}));

const apiKey = message(() => ({
  fields: { type: [1, text], name: [2, text], in: [3, text], description: [4, text] },
  extensions: 5,
}));

const documentLayout: MessageLayout = {
  fields: {
    swagger: [1, text],
    info: [2, message(() => ({ fields: { title: [1, text], version: [2, text], description: [3, text] }, extensions: 7 }))],
    host: [3, text],
    basePath: [4, text],
    schemes: [5, each(text)],
    consumes: [6, each(text)],
    produces: [7, each(text)],
    paths: [8, mapOf(pathItem, 2)],
    definitions: [9, mapOf(schema)],
    parameters: [10, mapOf((writer, number, value) => parameterAlone(writer, number, value))],
    security: [12, each(security)],
    securityDefinitions: [13, mapOf(inside(2, apiKey))],
  },
  extensions: 16,
};

/** A parameter under a name of its own is nested one message less deep than one in a list. */
function parameterAlone(writer: ProtobufWriter, number: number, value: unknown): void {
  const given = isObject(value) ? value : {};
  if (given['in'] === 'body') return inside(1, bodyParameter)(writer, number, value);
  const known = otherParameters[String(given['in'])];
  if (!known) throw new Error(`an OpenAPI v2 document has a parameter in ${given['in']}`);
  return inside(2, inside(...known))(writer, number, value);
}

/**
 * Encodes an OpenAPI v2 document as the message `openapi.v2.Document` of gnostic (github.com/google/gnostic, openapiv2), which client-go
 * requests. Throws if the document contains something that no Kubernetes API has.
 */
export function encodeOpenAPIV2(json: Uint8Array): Uint8Array {
  return encodeDocument(documentLayout, json);
}
