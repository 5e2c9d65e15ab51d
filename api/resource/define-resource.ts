import type { KubeObject } from '../meta/object.ts';
import { nameIsDNSSubdomain } from '../validation/names.ts';
import type { ResourceDefinition, ResourceNames, Verb } from './resource-definition.ts';

type Defaulted =
  | 'names'
  | 'verbs'
  | 'subresources'
  | 'printerColumns'
  | 'selectableFields'
  | 'nameRule'
  | 'hasGeneration'
  | 'generationFields'
  | 'keepsStatusOnCreate'
  | 'allowCreateOnUpdate'
  | 'allowUnconditionalUpdate'
  | 'tellsTwice'
  | 'defaultGarbageCollection';

/** The declaration of a kind in api/resources: the definition without the members that follow from others. */
type ResourceDeclaration<T extends KubeObject> = Omit<ResourceDefinition<T>, Defaulted> &
  Partial<Omit<Pick<ResourceDefinition<T>, Defaulted>, 'names'>> & {
    readonly names: Pick<ResourceNames, 'kind' | 'plural'> & Partial<ResourceNames>;
  };

const allVerbs: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** Declares a built-in kind. */
export function defineResource<T extends KubeObject>(declaration: ResourceDeclaration<T>): ResourceDefinition<T> {
  const { names } = declaration;
  return {
    verbs: allVerbs,
    subresources: {},
    printerColumns: [],
    selectableFields: {},
    nameRule: nameIsDNSSubdomain,
    hasGeneration: false,
    generationFields: ['spec'],
    keepsStatusOnCreate: false,
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: true,
    tellsTwice: false,
    defaultGarbageCollection: 'background',
    ...declaration,
    names: { listKind: `${names.kind}List`, singular: names.kind.toLowerCase(), shortNames: [], categories: [], ...names },
  };
}
