import type { APIResponse } from '../../../api/client/transport.ts';
import type { NegotiatedOutput } from '../../../api/serialization/negotiate.ts';
import { yamlMediaType } from '../../../api/serialization/media-types.ts';
import { formatListItem, type ItemNotation } from '../../../api/serialization/format-list-item.ts';
import { formatYAML } from '../../../api/serialization/yaml.ts';
import { wantsPretty } from '../responses/error-response.ts';
import type { RequestContext } from '../request/request-context.ts';
import { valueResponse } from '../responses/object-response.ts';
import { formatJSON } from '../../../api/base/format-json.ts';
import { costs, createTurns } from '../registry/turns.ts';

/** A list that has to be written item by item: a Table, or any in YAML, or for people. */
export interface ListDocument {
  /** All but the items. */
  readonly head: object;
  /** The member of the document that holds the items. */
  readonly member: 'items' | 'rows';
  readonly count: number;
  itemAt(index: number): unknown;
  /** How large the object is that an item is made of. */
  bytesAt(index: number): number;
  /** An item that is made and written elsewhere, since it would hold the event loop; undefined for all others. */
  writtenAt?(index: number, notation: ItemNotation): Promise<Uint8Array> | undefined;
}

/** A list up to this length and size is written without pauses. */
const [shortList, shortBytes] = [20, 64 * 1024];
const chunkCharacters = 64 * 1024;

/** How a list is written around its items. */
interface Notation {
  readonly item: ItemNotation;
  readonly opening: string;
  readonly separator: string;
  readonly closing: string;
}

/** A list that is written as it is read: its items are made only when they are sent, so that a slow client holds references alone. */
export function listDocumentResponse(context: RequestContext, output: NegotiatedOutput, document: ListDocument): APIResponse {
  const { head, member, count } = document;
  const indexes = Array.from({ length: Math.min(count, shortList) }, (_, index) => index);
  const isShort = count <= shortList && indexes.reduce((sum, index) => sum + document.bytesAt(index), 0) <= shortBytes;
  if (isShort) return valueResponse(context, output, () => ({ ...head, [member]: indexes.map((index) => document.itemAt(index)) }));
  const notation = notationOf(document, output.mediaType.name, output.pretty || wantsPretty(context.request));
  return {
    status: 200,
    headers: { 'content-type': output.mediaType.name },
    body: { kind: 'stream', chunks: chunksOf(document, notation) },
  };
}

function notationOf({ head, member }: ListDocument, mediaType: string, isPretty: boolean): Notation {
  if (mediaType === yamlMediaType.name) {
    // Keys are sorted, so the items stand between other fields.
    const [opening = '', closing = ''] = formatYAML({ ...head, [member]: [] }).split(new RegExp(`^${member}: \\[\\]\n`, 'm'));
    return { item: 'yaml', opening: `${opening}${member}:\n`, separator: '', closing };
  }
  if (!isPretty) return { item: 'json', opening: `${formatJSON(head).slice(0, -1)},"${member}":[`, separator: ',', closing: ']}\n' };
  return {
    item: 'pretty',
    opening: `${formatJSON(head, 2).slice(0, -'\n}'.length)},\n  "${member}": [\n`,
    separator: ',\n',
    closing: '\n  ]\n}',
  };
}

async function* chunksOf(document: ListDocument, { item: notation, opening, separator, closing }: Notation): AsyncGenerator<Uint8Array> {
  const turns = createTurns();
  let text = opening;
  for (let index = 0; index < document.count; index++) {
    if (index > 0) text += separator;
    const written = document.writtenAt?.(index, notation);
    if (written) {
      yield Buffer.from(text);
      text = '';
      yield await written;
      continue;
    }
    const cost = costs.object + costs.byte * document.bytesAt(index);
    const item = document.itemAt(index);
    // Parsing a large object gets its own turn.
    if (turns.isOver(cost)) await turns.next();
    text += formatListItem(item, notation);
    if (text.length >= chunkCharacters) {
      yield Buffer.from(text);
      text = '';
    }
    if (turns.isOver(cost)) await turns.next();
  }
  yield Buffer.from(text + closing);
}
