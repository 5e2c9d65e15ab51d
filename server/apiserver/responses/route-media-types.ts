import { routeNotAcceptable, routeUnsupportedMediaType } from '../../../api/meta/status-errors.ts';
import { supportedMediaTypes } from '../../../api/serialization/media-types.ts';
import type { RequestContext } from '../request/request-context.ts';

/** The media types of the objects of a route. */
export const objectTypes: readonly string[] = supportedMediaTypes.map(({ name }) => name);

/** The media types of lists, and of the watches that share their route. */
const listTypes: readonly string[] = [...objectTypes, ...supportedMediaTypes.flatMap(({ streamContentType }) => streamContentType ?? [])];

const logTypes: readonly string[] = ['text/plain', ...objectTypes];

const patchTypes: ReadonlySet<string> = new Set([
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]);

/** Subresources that take over the connection, whose answers have no media type. */
const connections: ReadonlySet<string> = new Set(['attach', 'exec', 'portforward', 'proxy']);

function* bareTypes(header: string): Generator<string> {
  for (const range of header.split(',')) yield range.split(';', 1)[0]?.trim() ?? '';
}

/**
 * The check of an Accept header before content negotiation: upstream's router compares it with the media types of the route, by name and
 * without ranges such as `application/*`. Throws 406.
 */
export function checkAccept({ request }: RequestContext, produces: readonly string[]): void {
  const header = request.headers['accept'];
  if (header === undefined || header === '' || header === '*/*' || produces.includes(header)) return;
  for (const type of bareTypes(header)) if (type === '*/*' || produces.includes(type)) return;
  throw routeNotAcceptable(produces);
}

/** Checks of upstream's router before the endpoint of a resource is called. Throws 406, and 415 for patches. */
export function checkRoute(context: RequestContext): void {
  const { info, request } = context;
  if (connections.has(info.subresource)) return;
  if (info.verb === 'patch') {
    const types = [...bareTypes(request.headers['content-type'] ?? '')];
    const isEmpty = request.body === undefined || request.body.length === 0;
    // A resource without objects of that media type has no route left by the time that Accept is looked at.
    if (!types.some((type) => patchTypes.has(type))) throw isEmpty ? routeNotAcceptable([]) : routeUnsupportedMediaType();
  }
  if (info.verb === 'list' || info.verb === 'watch') checkAccept(context, listTypes);
  else checkAccept(context, info.subresource === 'log' ? logTypes : objectTypes);
}
