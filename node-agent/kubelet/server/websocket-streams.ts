import type { RawData, WebSocket } from 'ws';
import type { ByteChannel } from '../../../api/client/transport.ts';
import {
  type ChannelProtocol,
  decodeChannelMessage,
  encodeChannelMessage,
  remoteCommandChannels,
} from '../../../api/streaming/channel-protocol.ts';
import { SPDYError } from '../../../api/streaming/spdy-error.ts';
import { decodeExitStatus, encodeExitStatus } from '../../../api/streaming/exit-status.ts';
import { answerPings, createReadGate, type ReadGate } from './read-gate.ts';
import { openRuntimeStreams, type RuntimeStreams, type StreamSelection } from './runtime-streams.ts';

/** The number of unsent bytes above which the command has to wait. */
const maxBuffered = 1 << 20;

/** Joins a client's WebSocket with the streams of a command until the command has ended or the client has gone. */
export async function serveCommand(
  socket: WebSocket,
  protocol: ChannelProtocol,
  runtimeURL: string,
  selection: StreamSelection,
): Promise<void> {
  const { stdout, stderr, error: errorChannel } = remoteCommandChannels;
  const send = (channel: number, bytes: Uint8Array) => {
    if (socket.readyState === socket.OPEN) socket.send(encodeChannelMessage(protocol, channel, bytes));
  };
  const gate = createReadGate(socket);
  answerPings(socket, gate);
  // Input may come before the runtime is ready for it.
  const input = createInput(protocol, gate);
  socket.on('message', input.add);
  try {
    const streams = await openRuntimeStreams(runtimeURL, selection);
    // A client that has disconnected meanwhile is noticed here, one that does so later by the event.
    if (socket.readyState !== socket.OPEN) return streams.close();
    socket.on('close', () => streams.close());
    input.connect(streams);
    // An empty message on the first output channel tells the client that everything is set up.
    send(selection.stdout ? stdout : selection.stderr ? stderr : errorChannel, new Uint8Array(0));
    const problem: Uint8Array[] = [];
    await Promise.all([
      copyOutput(socket, streams.stdout, (bytes) => send(stdout, bytes)),
      copyOutput(socket, streams.stderr, (bytes) => send(stderr, bytes)),
      copyOutput(socket, streams.error, (bytes) => problem.push(bytes)),
    ]);
    if (problem.length === 0) throw new Error('the connection to the container runtime broke');
    // The runtime sends a Status. Older protocols send a plain text, or nothing for success.
    const outcome = Buffer.concat(problem);
    const told = protocol.hasStatus ? outcome : encodeExitStatus(decodeExitStatus(outcome), false);
    if (told.length > 0) send(errorChannel, told);
    streams.close();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    send(errorChannel, encodeExitStatus({ type: 'failure', message }, protocol.hasStatus));
  }
  socket.close(1000);
}

/** Runtimes end their streams by a reset or by a half-close; the error stream tells whether the command succeeded. */
async function copyOutput(socket: WebSocket, stream: ByteChannel | undefined, deliver: (bytes: Uint8Array) => void): Promise<void> {
  if (!stream) return;
  try {
    for await (const bytes of stream.incoming) {
      deliver(bytes);
      while (socket.bufferedAmount > maxBuffered && socket.readyState === socket.OPEN) await flushed(socket);
    }
  } catch (error) {
    if (!(error instanceof SPDYError)) throw error;
  }
}

/** Resolves when the buffered data was passed to the kernel, or the connection has ended. */
function flushed(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('close', done);
      resolve();
    };
    socket.on('close', done);
    socket.ping(undefined, undefined, done);
  });
}

/** Input in the order of arrival; a command that does not read makes the client wait. */
function createInput(protocol: ChannelProtocol, gate: ReadGate) {
  const connected = Promise.withResolvers<RuntimeStreams>();
  let last: Promise<unknown> = connected.promise;
  return {
    connect: connected.resolve,
    add(data: RawData) {
      const bytes = asBuffer(data);
      const message = decodeChannelMessage(protocol, bytes);
      if (!message) return;
      gate.hold(bytes.length);
      last = last.then(async () => {
        const { stdin, resize } = await connected.promise;
        const isStdin = message.channel === remoteCommandChannels.stdin;
        try {
          if (message.type === 'close') return isStdin && stdin?.end();
          const target = isStdin ? stdin : message.channel === remoteCommandChannels.resize ? resize : undefined;
          await target?.write(message.data).catch(() => undefined); // the command has ended
        } finally {
          gate.release(bytes.length);
        }
      });
    },
  };
}

export function asBuffer(data: RawData): Buffer {
  return Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
