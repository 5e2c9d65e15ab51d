import { formatIP } from '../../../api/base/ip-address.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Forwarder } from './forward/forwarder.ts';
import { anyClass, flag, internetClass, opcodeOf, recordType, responseCode } from './message/codes.ts';
import { MalformedMessageError, type ReadMessage, type ReadRecord, readMessage, readName } from './message/read-message.ts';
import { type DNSRecord, encodeQuestion, writeMessage } from './message/write-message.ts';
import type { ZoneAnswer } from './zone/cluster-zone.ts';

interface ResponderDependencies {
  readonly zone: (question: { readonly name: string; readonly type: number; readonly maxRecords: number }) => ZoneAnswer | undefined;
  readonly forwarder: Forwarder;
  readonly random: Random;
}

/** The source of the answer. */
export type AnswerSource = 'cluster' | 'forward' | 'cache' | 'none';

interface Response {
  readonly bytes: Uint8Array;
  readonly source: AnswerSource;
  readonly type: number;
  readonly code: number;
}

/** Turns a message into its answer; undefined: it deserves none. Does not reject. */
export type Responder = (bytes: Uint8Array, transport: 'udp' | 'tcp') => Promise<Response | undefined>;

/** The greatest datagram without fragments (https://www.dnsflagday.net/2020/). */
const udpSize = 1232;
const plainUDPSize = 512;
const tcpSize = 65_535;
/** An IPv4 address under a name that was written before. */
const smallestRecordBytes = 16;

export function createResponder(dependencies: ResponderDependencies): Responder {
  return async (bytes, transport) => {
    let query: ReadMessage;
    try {
      query = readMessage(bytes);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      return formatError(bytes);
    }
    // An answer to an answer could go back and forth for ever.
    if ((query.flags & flag.response) !== 0) return undefined;
    const maxSize = transport === 'tcp' ? tcpSize : Math.min(udpSize, Math.max(plainUDPSize, query.edns?.udpSize ?? 0));
    const refusal = refusalOf(query);
    if (refusal !== undefined) return respond(query, { code: refusal, maxSize, source: 'none' });
    const [question] = query.questions;
    if (question === undefined) return undefined;
    // One record more than there is room for, so that truncation is noticed.
    const maxRecords = 1 + Math.floor(maxSize / smallestRecordBytes);
    const found = dependencies.zone({ name: question.name, type: question.type, maxRecords });
    if (found !== undefined) return respondFromZone(dependencies, query, found, maxSize);
    const forwarded = await dependencies.forwarder.forward(query);
    if (forwarded === undefined) return respond(query, { code: responseCode.SERVFAIL, maxSize, source: 'forward' });
    const source = forwarded.fromCache ? 'cache' : 'forward';
    // The client repeats the query over TCP, and the answer is in the cache.
    if (forwarded.bytes.length > maxSize) return respond(query, { code: responseCode.NOERROR, flags: flag.truncated, maxSize, source });
    return { bytes: forwarded.bytes, source, type: question.type, code: (forwarded.bytes[3] ?? 0) & 15 };
  };
}

function refusalOf({ flags, questions, edns }: ReadMessage): number | undefined {
  if (opcodeOf(flags) !== 0) return responseCode.NOTIMP;
  const [question] = questions;
  if (question === undefined || questions.length > 1) return responseCode.FORMERR;
  if (edns !== undefined && edns.version > 0) return responseCode.BADVERS;
  return question.class === internetClass || question.class === anyClass ? undefined : responseCode.REFUSED;
}

async function respondFromZone(
  dependencies: ResponderDependencies,
  query: ReadMessage,
  found: ZoneAnswer,
  maxSize: number,
): Promise<Response> {
  const { continueAt } = found;
  const rest = continueAt === undefined ? [] : await resolveOutside(dependencies, query, continueAt);
  if (rest === undefined) return respond(query, { code: responseCode.SERVFAIL, maxSize, source: 'forward' });
  const answers = [...found.answers, ...rest];
  return respond(query, { ...found, answers, flags: flag.authoritative, maxSize, source: 'cluster' });
}

/** Resolves an alias to a name outside the cluster; undefined if no server answers. */
async function resolveOutside(
  { forwarder, random }: ResponderDependencies,
  query: ReadMessage,
  name: string,
): Promise<DNSRecord[] | undefined> {
  const type = query.questions[0]?.type ?? recordType.A;
  const id = random.bytes(2);
  const asked = writeMessage({
    id: ((id[0] ?? 0) << 8) | (id[1] ?? 0),
    flags: flag.recursionDesired,
    code: 0,
    question: encodeQuestion(name, type),
    edns: { udpSize, version: 0, dnssecOK: false },
    maxSize: udpSize,
  });
  const forwarded = await forwarder.forward(readMessage(asked));
  if (forwarded === undefined) return undefined;
  const answer = readMessage(forwarded.bytes);
  if (answer.code === responseCode.SERVFAIL) return undefined;
  return answer.records.filter(({ section }) => section === 'answer').flatMap((record) => retell(answer.bytes, record));
}

function retell(bytes: Uint8Array, { name, ttl, type, dataOffset, dataLength }: ReadRecord): DNSRecord[] {
  const data = bytes.subarray(dataOffset, dataOffset + dataLength);
  if (type === recordType.CNAME) return [{ name, ttl, type: 'CNAME', target: readName(bytes, dataOffset).name }];
  if (type !== recordType.A && type !== recordType.AAAA) return [];
  const value = data.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return type === recordType.A && dataLength === 4
    ? [{ name, ttl, type: 'A', address: formatIP({ version: 4, value }) }]
    : dataLength === 16
      ? [{ name, ttl, type: 'AAAA', address: formatIP({ version: 6, value }) }]
      : [];
}

interface Reply extends Partial<Omit<ZoneAnswer, 'code' | 'continueAt'>> {
  readonly code: number;
  readonly flags?: number;
  readonly maxSize: number;
  readonly source: AnswerSource;
}

function respond(
  query: ReadMessage,
  { code, flags = 0, maxSize, source, answers = [], authorities = [], additionals = [] }: Reply,
): Response {
  const bytes = writeMessage({
    id: query.id,
    flags: flag.response | flag.recursionAvailable | (query.flags & (0x7800 | flag.recursionDesired | flag.checkingDisabled)) | flags,
    code,
    ...(query.questions.length === 1 ? { question: query.questionBytes } : {}),
    answers,
    authorities,
    additionals,
    ...(query.edns === undefined ? {} : { edns: { udpSize, version: 0, dnssecOK: query.edns.dnssecOK } }),
    maxSize,
  });
  return { bytes, source, type: query.questions[0]?.type ?? 0, code };
}

/** An answer to an unreadable message, if at least its id can be read. */
function formatError(bytes: Uint8Array): Response | undefined {
  if (bytes.length < 12 || ((bytes[2] ?? 0) & 0x80) !== 0) return undefined;
  const id = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  const code = responseCode.FORMERR;
  return { bytes: writeMessage({ id, flags: flag.response, code, maxSize: plainUDPSize }), source: 'none', type: 0, code };
}
