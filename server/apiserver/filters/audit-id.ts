import type { Random } from '../../../api/base/random.ts';
import type { Filter } from '../request/request-context.ts';

const maxLength = 64;

/** Adds the Audit-ID to every answer: the id that the client sent, or a new one. */
export function auditID(random: Random): Filter {
  return (next) => async (context) => {
    const sent = context.request.headers['audit-id'];
    const id = sent === undefined || sent === '' || sent.length > maxLength ? random.uuid() : sent;
    context.auditID = id;
    const response = await next(context);
    return { ...response, headers: { 'audit-id': id, ...context.flowHeaders, ...response.headers } };
  };
}
