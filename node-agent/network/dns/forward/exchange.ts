import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Clock } from '../../../../api/base/clock.ts';
import { flag } from '../message/codes.ts';
import { MalformedMessageError, type ReadMessage, readMessage } from '../message/read-message.ts';

/** The address of another DNS server. */
export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/**
 * Sends a query to one server and resolves with its answer, over UDP, and over TCP if the answer did not fit. Every query has
 * a socket, and with it a port, of its own, and answers must repeat id and question: that is what protects from forged ones
 * (RFC 5452). Rejects when nothing came within `timeoutMs`.
 */
export async function exchange(query: Uint8Array, upstream: Upstream, clock: Clock, timeoutMs: number): Promise<ReadMessage> {
  const abort = new AbortController();
  const timer = clock.setTimer(timeoutMs, () => abort.abort(new Error(`no answer from ${upstream.address} within ${timeoutMs} ms`)));
  try {
    const answer = await exchangeUDP(query, upstream, abort.signal);
    return (answer.flags & flag.truncated) === 0 ? answer : await exchangeTCP(query, upstream, abort.signal);
  } finally {
    timer.cancel();
  }
}

function exchangeUDP(query: Uint8Array, { address, port }: Upstream, signal: AbortSignal): Promise<ReadMessage> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    let hasEnded = false;
    const end = (finish: () => void) => {
      if (hasEnded) return;
      hasEnded = true;
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners('message');
      socket.close();
      finish();
    };
    const onAbort = () => end(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => end(() => reject(error)));
    socket.on('message', (bytes) => {
      const answer = answerTo(query, bytes);
      if (answer !== undefined) end(() => resolve(answer));
    });
    // Connected, so that only this server is heard, and its refusal is.
    socket.connect(port, address, () => {
      if (!hasEnded) socket.send(query);
    });
  });
}

function exchangeTCP(query: Uint8Array, { address, port }: Upstream, signal: AbortSignal): Promise<ReadMessage> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, signal });
    let received = Buffer.alloc(0);
    socket.on('connect', () => socket.write(withLength(query)));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = answerTo(query, received.subarray(2, 2 + received.readUInt16BE(0)));
      socket.destroy(answer === undefined ? new Error(`${address} answered something else`) : undefined);
      if (answer !== undefined) resolve(answer);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${address} closed the connection`)));
  });
}

/** Messages over TCP are preceded by their length (RFC 1035, 4.2.2). */
export function withLength(message: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(2 + message.length);
  framed.writeUInt16BE(message.length, 0);
  framed.set(message, 2);
  return framed;
}

function answerTo(query: Uint8Array, bytes: Uint8Array): ReadMessage | undefined {
  try {
    const [asked, answer] = [readMessage(query), readMessage(bytes)];
    if (answer.id !== asked.id || (answer.flags & flag.response) === 0) return undefined;
    const [question, repeated] = [asked.questions[0], answer.questions[0]];
    // Servers that cannot read the question leave it out.
    if (repeated === undefined) return answer.code !== 0 ? answer : undefined;
    const isSame = question?.name.toLowerCase() === repeated.name.toLowerCase() && question.type === repeated.type;
    return isSame ? answer : undefined;
  } catch (error) {
    if (error instanceof MalformedMessageError) return undefined;
    throw error;
  }
}
