import { http } from '../../node-http.ts';
import type { Duplex } from 'node:stream';
import type { ByteChannel } from '../../../api/client/transport.ts';
import { createSPDYSession } from '../../../api/streaming/spdy-session.ts';
import { socketChannel } from './socket-channel.ts';

/** The runtime's end of an exec or attach. Streams that were not requested are absent. */
export interface RuntimeStreams {
  readonly stdin?: ByteChannel;
  readonly stdout?: ByteChannel;
  readonly stderr?: ByteChannel;
  readonly resize?: ByteChannel;
  /** Contains a Status as JSON when the command has ended. */
  readonly error: ByteChannel;
  close(): void;
}

export interface StreamSelection {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Asks the runtime's streaming server to switch to SPDY/3.1. Throws its answer if it does not. */
export function dialRuntime(url: string, protocol: string): Promise<{ readonly socket: Duplex; readonly head: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol };
    const request = http.request(url, { method: 'POST', headers, agent: false });
    request.on('upgrade', (_response, socket, head) => {
      socket.on('error', () => {}); // also told by 'close'; nobody may listen yet
      resolve({ socket, head });
    });
    request.on('response', (response) => {
      response.resume();
      reject(new Error(`the container runtime answered ${response.statusCode} to a request for streams`));
    });
    request.on('error', reject);
    request.end();
  });
}

/** Opens the streams of an exec or attach. They use SPDY, in which the end of stdin can be sent. */
export async function openRuntimeStreams(url: string, { stdin, stdout, stderr, tty }: StreamSelection): Promise<RuntimeStreams> {
  const { socket, head } = await dialRuntime(url, 'v4.channel.k8s.io');
  // The runtime opens no streams, and its replies say nothing: their headers need not be read.
  const session = createSPDYSession({ channel: socketChannel(socket, head), role: 'client', inflate: async () => new Uint8Array(0) });
  const open = (streamtype: string, isWanted: boolean) => (isWanted ? session.open({ streamtype }) : undefined);
  try {
    const opening = [
      open('error', true),
      open('stdin', stdin),
      open('stdout', stdout),
      open('stderr', stderr && !tty),
      open('resize', tty),
    ];
    const [error, inStream, outStream, errStream, resize] = await Promise.all(opening);
    if (!error) throw new Error('the container runtime opened no error stream');
    return {
      error,
      ...(inStream ? { stdin: inStream } : {}),
      ...(outStream ? { stdout: outStream } : {}),
      ...(errStream ? { stderr: errStream } : {}),
      ...(resize ? { resize } : {}),
      close: () => session.close(),
    };
  } catch (error) {
    session.close();
    throw error;
  }
}
