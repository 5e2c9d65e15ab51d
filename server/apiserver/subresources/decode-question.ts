import type { UntypedObject } from '../../../api/meta/object.ts';
import { requestEntityTooLarge } from '../../../api/meta/status-errors.ts';
import { parseJSON } from '../../../api/serialization/json.ts';
import { largeBytes, type LargeWork, maxQuestionBytes } from '../registry/large-objects/large-work.ts';
import type { RequestContext } from '../request/request-context.ts';
import { decodeObject, decodingContext, type ExpectedKind } from '../bodies/decode-object.ts';

/** The body of a request for something that is not stored: a review, a Scale, a Binding. Throws 413 where it is too large for that. */
export async function decodeQuestion(context: RequestContext, expected: ExpectedKind, work: LargeWork | undefined): Promise<UntypedObject> {
  const decoding = decodingContext(context);
  const { body, contentType, nowMs } = decoding;
  if (body.length > maxQuestionBytes) throw requestEntityTooLarge(`limit is ${maxQuestionBytes}`);
  if (!work || body.length <= largeBytes) return decodeObject(decoding, expected, 'Warn');
  const { group, version, kind, definition } = expected;
  const task = {
    kind: 'decode',
    expected: { group, version, kind, definition },
    body,
    contentType,
    fieldValidation: 'Warn',
    nowMs,
  } as const;
  const { object, warnings } = await work.run(task, context);
  for (const warning of warnings) context.addWarning(warning);
  return parseJSON(object).value as UntypedObject;
}
