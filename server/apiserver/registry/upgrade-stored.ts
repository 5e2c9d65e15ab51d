import type { KubeObject } from '../../../api/meta/object.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { orderFields } from '../../../api/schema/order-fields.ts';
import type { StructuralSchema } from '../../../api/schema/structural-schema.ts';
import { parseJSON, stringifyJSON } from '../../../api/serialization/json.ts';
import { isEnvelope } from '../../../api/serialization/protobuf/formats.ts';
import { decodeStored } from '../../../api/serialization/protobuf/decode-stored.ts';
import { readEnvelope } from '../../../api/serialization/protobuf/protobuf.ts';
import { parseAt } from '../../storage/watch-cache/wire-json.ts';

/**
 * Converts objects that upstream has stored in an older version to JSON of the stored version; undefined for kinds without older versions.
 */
export function createStoredUpgrade(
  definition: ResourceDefinition,
  schema: StructuralSchema,
): { readonly transform?: (value: Uint8Array) => Uint8Array } {
  const { upgradeStored, formerVersions } = definition;
  const apiVersion = apiVersionOf(definition);
  if (formerVersions)
    return {
      transform: createRenaming(
        apiVersion,
        formerVersions.map((version) => `${definition.group}/${version}`),
      ),
    };
  if (!upgradeStored) return {};
  return {
    transform(value) {
      if (isEnvelope(value) || parseAt(value, ['apiVersion']) === apiVersion) return value;
      const upgraded = upgradeStored(parseJSON(value).value as KubeObject);
      return stringifyJSON(orderFields({ ...upgraded, apiVersion }, schema));
    },
  };
}

/** For older versions of the same shape. */
function createRenaming(apiVersion: string, former: readonly string[]): (value: Uint8Array) => Uint8Array {
  return (value) => {
    if (isEnvelope(value)) return former.includes(readEnvelope(value).apiVersion) ? decodeStored(value, apiVersion) : value;
    const written = parseAt(value, ['apiVersion']);
    return former.some((version) => version === written) ? stringifyJSON({ ...(parseJSON(value).value as object), apiVersion }) : value;
  };
}
