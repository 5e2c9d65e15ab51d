import { applyDefaults } from '../../schema/default.ts';
import { findKindSchema } from '../../schema/definition-schema.ts';
import { orderFields } from '../../schema/order-fields.ts';
import { stringifyJSON } from '../json.ts';
import { decodeProtobuf } from './protobuf.ts';

/**
 * The JSON of an object that upstream has stored, with the defaults that upstream sets at every read: the stored object may lack fields
 * that are newer than it, and fields that its strategy leaves to the next read. `readAs`: see decodeProtobuf. Throws ProtobufError.
 */
export function decodeStored(value: Uint8Array, readAs?: string): Uint8Array {
  const object = decodeProtobuf(value, readAs);
  const schema = findKindSchema(String(object['apiVersion']), String(object['kind']));
  if (!schema) return stringifyJSON(object);
  applyDefaults(object, schema);
  return stringifyJSON(orderFields(object, schema));
}
