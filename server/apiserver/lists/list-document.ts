import type { APIResponse } from '../../../api/client/transport.ts';
import type { NegotiatedOutput } from '../../../api/serialization/negotiate.ts';
import { yamlMediaType } from '../../../api/serialization/media-types.ts';
import { formatYAML } from '../../../api/serialization/yaml.ts';
import { wantsPretty } from '../responses/error-response.ts';
import type { RequestContext } from '../request/request-context.ts';
import { valueResponse } from '../responses/object-response.ts';
import { formatJSON } from '../../../api/base/format-json.ts';

/** A list that has to be written item by item: a Table, or any in YAML, or for people. */
export interface ListDocument {
  /** All but the items. */
  readonly head: object;
  /** Where the items stand. */
  readonly member: 'items' | 'rows';
  readonly count: number;
  itemAt(index: number): unknown;
}

/** A list up to this length is written in one go. */
const shortList = 20;
/** Items written in one go: a few milliseconds at most, then others have their turn. */
const itemsPerTurn = 20;
const chunkCharacters = 64 * 1024;

/** How a list is written around its items. */
interface Notation {
  readonly opening: string;
  readonly separator: string;
  readonly closing: string;
  format(item: unknown): string;
}

/** Written as it is read: items of a long list are made when it is their turn, so a slow client holds only references. */
export function listDocumentResponse(context: RequestContext, output: NegotiatedOutput, document: ListDocument): APIResponse {
  const { head, member, count } = document;
  const itemsOf = () => Array.from({ length: count }, (_, index) => document.itemAt(index));
  if (count <= shortList) return valueResponse(context, output, () => ({ ...head, [member]: itemsOf() }));
  const notation = notationOf(document, output.mediaType.name, output.pretty || wantsPretty(context.request));
  return {
    status: 200,
    headers: { 'content-type': output.mediaType.name },
    body: { kind: 'stream', chunks: chunksOf(document, notation) },
  };
}

function notationOf({ head, member }: ListDocument, mediaType: string, isPretty: boolean): Notation {
  if (mediaType === yamlMediaType.name) {
    // Keys are sorted, so the items stand between others.
    const [opening = '', closing = ''] = formatYAML({ ...head, [member]: [] }).split(new RegExp(`^${member}: \\[\\]\n`, 'm'));
    return { opening: `${opening}${member}:\n`, separator: '', closing, format: (item) => formatYAML([item]) };
  }
  if (!isPretty)
    return { opening: `${formatJSON(head).slice(0, -1)},"${member}":[`, separator: ',', closing: ']}', format: (item) => formatJSON(item) };
  return {
    opening: `${formatJSON(head, 2).slice(0, -'\n}'.length)},\n  "${member}": [\n`,
    separator: ',\n',
    closing: '\n  ]\n}',
    format: (item) => `    ${formatJSON(item, 2).replaceAll('\n', '\n    ')}`,
  };
}

async function* chunksOf({ count, itemAt }: ListDocument, notation: Notation): AsyncGenerator<Uint8Array> {
  let text = notation.opening;
  for (let index = 0; index < count; index++) {
    if (index > 0) text += notation.separator;
    text += notation.format(itemAt(index));
    if (text.length >= chunkCharacters) {
      yield Buffer.from(text);
      text = '';
    }
    if (index % itemsPerTurn === 0) await nextTurn();
  }
  yield Buffer.from(text + notation.closing);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
