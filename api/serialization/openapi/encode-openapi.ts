import { encodeOpenAPIV2 } from './openapi-v2-protobuf.ts';
import { encodeOpenAPIV3 } from './openapi-v3-protobuf.ts';

const encoders = { v2: encodeOpenAPIV2, v3: encodeOpenAPIV3 };

/** Protobuf of an OpenAPI document that is given as JSON. */
export function encodeOpenAPI(spec: 'v2' | 'v3', json: Uint8Array): Uint8Array {
  return encoders[spec](json);
}
