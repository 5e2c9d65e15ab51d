/** A resource without its version, e.g. `{ group: 'apps', resource: 'deployments' }`; '' is the core group. */
interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** Names a resource in messages: either plainly or by its definition. */
export type ResourceReference = GroupResource | { readonly group: string; readonly names: { readonly plural: string } };

export function toGroupResource(reference: ResourceReference): GroupResource {
  return 'resource' in reference ? reference : { group: reference.group, resource: reference.names.plural };
}

/** `pods`, `deployments.apps` */
export function formatGroupResource({ group, resource }: GroupResource): string {
  return group === '' ? resource : `${resource}.${group}`;
}

/** `Pod`, `Deployment.apps` */
export function formatGroupKind({ group, kind }: GroupKind): string {
  return group === '' ? kind : `${kind}.${group}`;
}
