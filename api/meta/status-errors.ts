import { quote } from '../base/quote.ts';
import { describeFieldErrors, type FieldError, formatShownErrors } from '../validation/field-error.ts';
import { formatGroupKind, formatGroupResource, type GroupKind, type ResourceReference, toGroupResource } from './group-resource.ts';
import { type Status, type StatusCause, type StatusDetails, StatusError } from './status.ts';

/** The only makers of StatusErrors: message, reason, code and details are those that clients of Kubernetes know. */

function failure(code: number, reason: string, message: string, details?: StatusDetails): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  });
}

/** Details in the order of the wire; empty fields are left out. */
function detailsOf(fields: {
  name?: string;
  group?: string;
  kind?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}): StatusDetails {
  const details: StatusDetails = {};
  if (fields.name) details.name = fields.name;
  if (fields.group) details.group = fields.group;
  if (fields.kind) details.kind = fields.kind;
  if (fields.causes && fields.causes.length > 0) details.causes = fields.causes;
  if (fields.retryAfterSeconds) details.retryAfterSeconds = fields.retryAfterSeconds;
  return details;
}

function resourceDetails(reference: ResourceReference | undefined, name: string): StatusDetails {
  if (reference === undefined) return detailsOf({ name });
  const { group, resource } = toGroupResource(reference);
  return detailsOf({ name, group, kind: resource });
}

function textOf(reference: ResourceReference): string {
  return formatGroupResource(toGroupResource(reference));
}

/** 404: there is no such object. */
export function notFound(resource: ResourceReference, name: string): StatusError {
  return failure(404, 'NotFound', `${textOf(resource)} ${quote(name)} not found`, resourceDetails(resource, name));
}

/** 404 for a resource or path that the server does not serve, in the words that clients look for. */
export function resourceNotServed(): StatusError {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** 409: create found an object of that name. */
export function alreadyExists(resource: ResourceReference, name: string): StatusError {
  return failure(409, 'AlreadyExists', `${textOf(resource)} ${quote(name)} already exists`, resourceDetails(resource, name));
}

/** 409: every name that was generated from generateName was taken. */
export function generateNameConflict(resource: ResourceReference, name: string, retryAfterSeconds = 1): StatusError {
  const message = `${textOf(resource)} ${quote(name)} already exists, the server was not able to generate a unique name for the object`;
  return failure(409, 'AlreadyExists', message, { ...resourceDetails(resource, name), retryAfterSeconds });
}

/** The message of a write whose resourceVersion is no longer the object's. */
export const optimisticLockMessage = 'the object has been modified; please apply your changes to the latest version and try again';

/** 409: a precondition did not hold, by default that on the resourceVersion. */
export function conflict(resource: ResourceReference, name: string, message = optimisticLockMessage): StatusError {
  const text = `Operation cannot be fulfilled on ${textOf(resource)} ${quote(name)}: ${message}`;
  return failure(409, 'Conflict', text, resourceDetails(resource, name));
}

/** 409: server-side apply met fields that other managers own. */
export function applyConflict(causes: StatusCause[], message: string): StatusError {
  return failure(409, 'Conflict', message, detailsOf({ causes }));
}

/** 422: the object breaks rules of its kind. */
export function invalid(kind: GroupKind, name: string, errors: readonly FieldError[]): StatusError {
  const described = describeFieldErrors(errors);
  const causes = described.shown.map(({ error, body }) => ({ reason: error.type, message: body, field: error.field }));
  const subject = `${formatGroupKind(kind)} ${quote(name)} is invalid`;
  const message = errors.length === 0 ? subject : `${subject}: ${formatShownErrors(described)}`;
  return failure(422, 'Invalid', message, detailsOf({ name, group: kind.group, kind: kind.kind, causes }));
}

/** 422 for a well-formed patch that does not fit the object. As upstream's, the message gives no reason. */
export function unprocessablePatch(): StatusError {
  return failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

/** 400: the request cannot be understood. */
export function badRequest(message: string): StatusError {
  return failure(400, 'BadRequest', message);
}

/** 403. Without a resource: the message begins with plain `forbidden`. */
export function forbidden(resource: ResourceReference | undefined, name: string, message: string): StatusError {
  let text = `forbidden: ${message}`;
  if (resource !== undefined && textOf(resource) !== '') text = `${textOf(resource)}${name === '' ? '' : ` ${quote(name)}`} is ${text}`;
  return failure(403, 'Forbidden', text, resourceDetails(resource, name));
}

/** 403 for a create in a namespace that is going away; controllers look for the cause to give up quietly. */
export function namespaceTerminating(resource: ResourceReference, name: string, namespace: string): StatusError {
  const error = forbidden(resource, name, `unable to create new content in namespace ${namespace} because it is being terminated`);
  const cause = { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' };
  return new StatusError({ ...error.status, details: { ...error.status.details, causes: [cause] } });
}

/** 401. */
export function unauthorized(message = ''): StatusError {
  return failure(401, 'Unauthorized', message === '' ? 'not authorized' : message);
}

/** 405: there is no such method on the resource or subresource. */
export function methodNotAllowed(): StatusError {
  return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** 405 with the verb, as servers of custom kinds say it. */
export function methodNotSupported(resource: ResourceReference, verb: string): StatusError {
  const message = `${verb} is not supported on resources of kind "${textOf(resource)}"`;
  return failure(405, 'MethodNotAllowed', message, resourceDetails(resource, ''));
}

/** 405: the definition of a custom kind is being deleted. */
export function createWhileTerminating(resource: ResourceReference): StatusError {
  return failure(
    405,
    'MethodNotAllowed',
    'create not allowed while custom resource definition is terminating',
    resourceDetails(resource, ''),
  );
}

/** 410 with reason Expired: a resourceVersion or continue token that is too old. */
export function resourceExpired(message: string): StatusError {
  return failure(410, 'Expired', message);
}

/** 410 with reason Gone. */
export function gone(message: string): StatusError {
  return failure(410, 'Gone', message);
}

/** 504: the request took too long; it may still complete. */
export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return failure(504, 'Timeout', `Timeout: ${message}`, detailsOf({ retryAfterSeconds }));
}

/** 504 without a prefix, as the request timeout filter answers. */
export function requestTimeout(): StatusError {
  return failure(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout', {});
}

/** 500 with reason ServerTimeout: a passing failure, the client should try again. */
export function serverTimeout(resource: ResourceReference, operation: string, retryAfterSeconds = 0, cause = ''): StatusError {
  const why = cause === '' ? '' : ` (${cause})`;
  const message = `The ${operation} operation against ${textOf(resource)} could not be completed at this time, please try again.${why}`;
  const { group, resource: kind } = toGroupResource(resource);
  return failure(500, 'ServerTimeout', message, detailsOf({ name: operation, group, kind, retryAfterSeconds }));
}

/** 429. */
export function tooManyRequests(message: string, retryAfterSeconds = 0): StatusError {
  return failure(429, 'TooManyRequests', message, detailsOf({ retryAfterSeconds }));
}

/** 500: not the client's fault. */
export function internalError(message: string): StatusError {
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** 500 with the bare message and no reason: failures that upstream passes on as they are. */
export function unexpectedError(message: string): StatusError {
  return failure(500, '', message);
}

/** 503. */
export function serviceUnavailable(message: string): StatusError {
  return failure(503, 'ServiceUnavailable', message);
}

/** 406: none of the media types the client accepts can be made. */
export function notAcceptable(available: readonly string[]): StatusError {
  return failure(406, 'NotAcceptable', `only the following media types are accepted: ${available.join(', ')}`);
}

/** 415: the body is in a format that cannot be read here. */
export function unsupportedMediaType(available: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${available.join(', ')}`;
  return failure(415, 'UnsupportedMediaType', message);
}

/** 406 from the router, which compares names of media types only. */
export function routeNotAcceptable(available: readonly string[]): StatusError {
  return failure(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`, {});
}

/** 415 from the router. */
export function routeUnsupportedMediaType(): StatusError {
  return failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

/** 406: a list was requested for a single object, or a single object for a list. `type` is Go's name of the type that was answered. */
export function wrongMetadataKind(kind: 'PartialObjectMetadata' | 'PartialObjectMetadataList', type: string): StatusError {
  const what = kind === 'PartialObjectMetadata' ? 'a list' : 'not a list';
  return failure(406, 'NotAcceptable', `you requested ${kind}, but the requested object is ${what} (${type})`);
}

/** 408: the client did not send its request in time. */
export function requestTimedOut(): StatusError {
  return failure(408, 'Timeout', 'request body was not received in time');
}

/** 413. */
export function requestEntityTooLarge(message: string): StatusError {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
}

/** The Status for whatever was thrown. Errors that are none of the API's own become a 500 without reason. */
export function statusOf(error: unknown): Status {
  if (error instanceof StatusError) return error.status;
  return failure(500, '', error instanceof Error ? error.message : String(error)).status;
}

/** Whether the error's Status has a cause with that reason, e.g. NamespaceTerminating. */
export function hasCause(error: unknown, reason: string): boolean {
  return error instanceof StatusError && (error.status.details?.causes ?? []).some((cause) => cause.reason === reason);
}
