import { once } from 'node:events';
import tls from 'node:tls';

/** The bytes that came back for those that were sent. */
export interface RawAnswer {
  /** 0: the connection ended without an answer. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** A connection on which a test writes bytes by hand, which need not be valid HTTP. */
export interface RawConnection {
  /** Sends bytes and waits for one answer, for the end of the connection, or for silence. */
  exchange(bytes: Uint8Array, options: { readonly isHead: boolean; readonly waitMs: number }): Promise<RawAnswer>;
  readonly isOpen: boolean;
  close(): void;
}

export interface RawConnectionOptions {
  readonly port: number;
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly protocols: readonly string[];
}

const nothing: RawAnswer = { status: 0, headers: new Map(), body: Buffer.alloc(0) };

export async function openRawConnection({ protocols, ...options }: RawConnectionOptions): Promise<RawConnection> {
  const socket = tls.connect({
    ...options,
    host: '127.0.0.1',
    servername: 'localhost',
    checkServerIdentity: () => undefined,
    ALPNProtocols: [...protocols],
  });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  let received: Buffer[] = [];
  let isOpen = true;
  let wake: () => void = () => {};
  socket.on('data', (chunk: Buffer) => {
    received.push(chunk);
    wake();
  });
  for (const event of ['end', 'close', 'error'])
    socket.on(event, () => {
      isOpen = false;
      wake();
    });
  return {
    get isOpen() {
      return isOpen;
    },
    close: () => socket.destroy(),
    async exchange(bytes, { isHead, waitMs }) {
      received = [];
      if (!isOpen) return nothing;
      socket.write(bytes);
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        wake();
      }, waitMs);
      try {
        for (;;) {
          const answer = mayBeWhole(received, isHead) || !isOpen ? readAnswer(Buffer.concat(received), isHead, !isOpen) : undefined;
          if (answer) return answer;
          if (!isOpen || isLate) return nothing;
          await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

const endOfChunks = Buffer.from('0\r\n\r\n');

/** Large answers come in many pieces, which are joined once. */
function mayBeWhole(received: readonly Buffer[], isHead: boolean): boolean {
  const [first, ...more] = received;
  if (first === undefined || isHead) return first !== undefined;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(first.toString('latin1', 0, 4000))?.[1];
  if (length !== undefined) return received.reduce((sum, piece) => sum + piece.length, 0) >= Number(length);
  // The last piece may be shorter than the end of a chunked body.
  return (
    more.length === 0 ||
    Buffer.concat(more.slice(-6).map((piece) => piece.subarray(-5)))
      .subarray(-5)
      .equals(endOfChunks)
  );
}

/** undefined: there is more to come. */
function readAnswer(received: Buffer, isHead: boolean, hasEnded: boolean): RawAnswer | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = received.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? 0);
  if (status >= 100 && status < 200)
    return status === 101
      ? { status, headers: new Map(), body: Buffer.alloc(0) }
      : readAnswer(received.subarray(end + 4), isHead, hasEnded);
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  const rest = received.subarray(end + 4);
  if (isHead || status === 204 || status === 304) return { status, headers, body: Buffer.alloc(0) };
  const length = headers.get('content-length');
  if (length !== undefined) return rest.length >= Number(length) ? { status, headers, body: rest.subarray(0, Number(length)) } : undefined;
  if (headers.get('transfer-encoding') === 'chunked') {
    const body = readChunks(rest);
    return body && { status, headers, body };
  }
  return hasEnded ? { status, headers, body: rest } : undefined;
}

function readChunks(rest: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = rest.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(rest.toString('latin1', at, line), 16);
    if (rest.length < line + 2 + size + 2) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(rest.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
