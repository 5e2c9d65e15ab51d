import { badRequest } from '../../../api/meta/status-errors.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { type FieldMatcher, parseFieldSelector, requireSupportedFields } from '../../../api/selectors/field-selector.ts';
import { type LabelMatcher, SelectorError } from '../../../api/selectors/label-selector.ts';
import { parseLabelSelector } from '../../../api/selectors/parse-label-selector.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';
import type { Store } from '../registry/store.ts';
import type { RequestContext } from '../request-context.ts';

/** Which objects of a resource a list, watch or deletecollection is about. */
export interface Selection {
  /** Relative to the resource: 'default/' for a namespace, '' for all. */
  readonly keyPrefix: string;
  /** The only key that can match, if the selector names one. */
  readonly singleKey?: string;
  readonly matchesEverything: boolean;
  matches(object: CachedObject): boolean;
}

/** From path and query; throws 400 for selectors that cannot be read or name unknown fields. */
export function parseSelection(context: RequestContext, store: Store): Selection {
  const { definition } = store;
  const { query, info } = context;
  const { labels, fields } = parseSelectors(query, definition);
  const namespaced = definition.scope === 'Namespaced';
  const name = info.parts[1] !== undefined && info.parts[1] !== '' ? info.parts[1] : fields.requiredValue('metadata.name');
  const namespace = info.namespace !== '' && namespaced ? info.namespace : fields.requiredValue('metadata.namespace');
  const keyPrefix = namespaced && namespace ? `${namespace}/` : '';
  const isSingle = name !== undefined && name !== '' && (!namespaced || keyPrefix !== '');
  const matchesEverything = labels.isEverything && fields.isEverything && !(info.parts[1] !== undefined && info.parts[1] !== '');
  return {
    keyPrefix,
    ...(isSingle ? { singleKey: keyPrefix + name } : {}),
    matchesEverything,
    matches(object) {
      if (name !== undefined && name !== '' && object.name !== name) return false;
      return (
        (labels.isEverything || labels.matches(object.labels())) &&
        (fields.isEverything || fields.matches((field) => fieldOf(store, object, field)))
      );
    },
  };
}

/** Objects in the cache know the fields of the version that is stored. */
function fieldOf({ definition, read }: Store, object: CachedObject, field: string): string {
  const known = object.field(field);
  if (known !== undefined || definition.storageVersion === undefined) return known ?? '';
  return definition.selectableFields[field]?.(read(object)) ?? '';
}

function parseSelectors(query: URLSearchParams, definition: ResourceDefinition): { labels: LabelMatcher; fields: FieldMatcher } {
  try {
    const labels = parseLabelSelector(query.get('labelSelector') ?? '');
    const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
    requireSupportedFields(fields, new Set(['metadata.name', 'metadata.namespace', ...Object.keys(definition.selectableFields)]));
    return { labels, fields };
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}
