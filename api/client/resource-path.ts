import type { ResourceDefinition } from '../resource/resource-definition.ts';

/** `/api/v1/namespaces/default/pods/web/status`, percent-encoded. `namespace` '' lists across namespaces. */
export function resourcePath(
  resource: Pick<ResourceDefinition, 'group' | 'version' | 'scope' | 'names'>,
  target: { readonly namespace?: string | undefined; readonly name?: string | undefined; readonly subresource?: string | undefined },
): string {
  let path = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (resource.scope === 'Namespaced' && target.namespace) path += `/namespaces/${encodeURIComponent(target.namespace)}`;
  path += `/${resource.names.plural}`;
  if (target.name !== undefined) path += `/${encodeName(target.name)}`;
  if (target.subresource) path += `/${target.subresource}`;
  return path;
}

/** Names such as `system:node` keep their colons, which are legal in a path segment and which other clients send unescaped. */
function encodeName(name: string): string {
  if (name === '' || name === '.' || name === '..') throw new TypeError(`"${name}" names no object`);
  return encodeURIComponent(name).replaceAll('%3A', ':');
}
