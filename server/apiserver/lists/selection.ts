import { badRequest } from '../../../api/meta/status-errors.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { type FieldMatcher, parseFieldSelector, requireSupportedFields } from '../../../api/selectors/field-selector.ts';
import { type LabelMatcher, SelectorError } from '../../../api/selectors/label-selector.ts';
import { parseLabelSelector } from '../../../api/selectors/parse-label-selector.ts';
import type { CachedObject, RequiredValue, WatchScope } from '../../storage/watch-cache/watch-cache.ts';
import type { Store } from '../registry/store.ts';
import { costs } from '../registry/turns.ts';
import type { RequestContext } from '../request/request-context.ts';

/** The objects of a resource that a list, watch or deletecollection is about. */
export interface Selection {
  /** Relative to the resource: 'default/' for a namespace, '' for all. */
  readonly keyPrefix: string;
  /** The only key that can match, if the selector requires a name and a namespace. */
  readonly singleKey?: string;
  readonly matchesEverything: boolean;
  /** The cost of matching one object, in the unit of `Turns`. */
  readonly cost: number;
  matches(object: CachedObject): boolean;
  /** Looks at fields that an object has only after its conversion, which neither `matches` nor `scope` do then. */
  readonly matchesConverted?: (object: CachedObject) => boolean;
  /** The same for a watch. */
  readonly scope: WatchScope;
}

/** From path and query; throws 400 for selectors that cannot be read or name unknown fields. */
export function parseSelection(context: RequestContext, store: Store): Selection {
  const { definition } = store;
  const { query, info } = context;
  const { labels, fields } = parseSelectors(query, definition);
  const namespaced = definition.scope === 'Namespaced';
  const nameOfPath = info.parts[1] ?? '';
  const nameOfSelector = fields.requiredValue('metadata.name');
  if (nameOfPath !== '' && !fields.isEverything && nameOfSelector !== nameOfPath)
    throw badRequest("fieldSelector metadata.name doesn't match requested name");
  const name = nameOfPath === '' ? nameOfSelector : nameOfPath;
  const namespace = info.namespace !== '' && namespaced ? info.namespace : fields.requiredValue('metadata.namespace');
  const keyPrefix = namespaced && namespace ? `${namespace}/` : '';
  const isSingle = name !== undefined && name !== '' && (!namespaced || keyPrefix !== '');
  const matchesEverything = labels.isEverything && fields.isEverything && nameOfPath === '';
  // Fields of a version into which a webhook converts can be read only then.
  const isLate = store.prepare !== undefined && fields.requirements.some(({ field }) => !field.startsWith('metadata.'));
  const matchesFields = (object: CachedObject): boolean => fields.isEverything || fields.matches((field) => fieldOf(store, object, field));
  const matches = (object: CachedObject): boolean => {
    if (name !== undefined && name !== '' && object.name !== name) return false;
    return (labels.isEverything || labels.matches(object.labels())) && (isLate || matchesFields(object));
  };
  const requires = isLate ? undefined : findRequired(labels, fields, definition);
  return {
    keyPrefix,
    ...(isSingle ? { singleKey: keyPrefix + name } : {}),
    matchesEverything,
    cost: matchesEverything ? 0 : costs.requirement * (1 + labels.requirements.length + fields.requirements.length),
    matches,
    ...(isLate ? { matchesConverted: matchesFields } : {}),
    scope: {
      keyPrefix: isSingle ? keyPrefix + name : keyPrefix,
      // Versions of one resource share a cache, and a field selector is evaluated by its version.
      selector: `${apiVersionOf(definition)}\0${name ?? ''}\0${labels}\0${fields}`,
      ...(requires ? { requires } : {}),
      matches: matchesEverything ? () => true : matches,
    },
  };
}

/** A value for which there is an index: a field that the stored version has, or a label. */
function findRequired(labels: LabelMatcher, fields: FieldMatcher, definition: ResourceDefinition): RequiredValue | undefined {
  const isStored = definition.storageVersion === undefined;
  const field = fields.requirements.find(({ field, operator }) => operator === '=' && isStored && !field.startsWith('metadata.'));
  if (field) return { of: 'field', name: field.field, value: field.value };
  for (const { key } of labels.requirements) {
    const value = labels.requiredValue(key);
    if (value !== undefined) return { of: 'label', name: key, value };
  }
  return undefined;
}

/** Objects in the cache know the fields of the version that is stored. */
function fieldOf({ definition, read, prepare }: Store, object: CachedObject, field: string): string {
  const own = prepare && !field.startsWith('metadata.') ? definition.selectableFields[field] : undefined;
  if (own) return own(read(object));
  const known = object.field(field);
  if (known !== undefined || definition.storageVersion === undefined) return known ?? '';
  return definition.selectableFields[field]?.(read(object)) ?? '';
}

function parseSelectors(query: URLSearchParams, definition: ResourceDefinition): { labels: LabelMatcher; fields: FieldMatcher } {
  try {
    const labels = parseLabelSelector(query.get('labelSelector') ?? '');
    const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
    const supported = new Set(['metadata.name', 'metadata.namespace', ...Object.keys(definition.selectableFields)]);
    requireSupportedFields(fields, supported, definition.schema !== undefined);
    return { labels, fields };
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}
