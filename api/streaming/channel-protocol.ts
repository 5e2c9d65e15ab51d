import { decodeBase64, encodeBase64 } from '../base/base64.ts';

/**
 * WebSocket messages of exec, attach and port-forward: the first byte (in the base64 variants: the first character, a digit)
 * names a channel, the rest is its data. Version 5 adds a message that half-closes a channel (KEP-4006).
 */

/** Channels of exec and attach. */
export const remoteCommandChannels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

const closeSignal = 255;

export interface ChannelProtocol {
  /** The protocol negotiated in Sec-WebSocket-Protocol; '' where the client offered none. */
  readonly name: string;
  readonly isBase64: boolean;
  /** Whether the error channel carries a Status (since v4) or plain text. */
  readonly hasStatus: boolean;
  /** Whether channels can be half-closed (since v5). */
  readonly canClose: boolean;
}

/** In the order in which a server prefers them. */
const protocols: readonly ChannelProtocol[] = [5, 4, 1].flatMap((version) =>
  [false, true].map((isBase64) => ({
    name: `${version === 1 ? '' : `v${version}.`}${isBase64 ? 'base64.' : ''}channel.k8s.io`,
    isBase64,
    hasStatus: version >= 4,
    canClose: version >= 5,
  })),
);

export type ChannelUse = 'remotecommand' | 'port-forward';

/** The protocol to speak with a client that offers those; undefined if there is none in common. Offering nothing means the oldest. */
export function negotiateChannelProtocol(offered: readonly string[], use: ChannelUse): ChannelProtocol | undefined {
  if (offered.length === 0) {
    return use === 'port-forward' ? undefined : { name: '', isBase64: false, hasStatus: false, canClose: false };
  }
  const supported = use === 'port-forward' ? protocols.filter(({ name }) => name.startsWith('v4.')) : protocols;
  for (const name of offered) {
    const protocol = supported.find((candidate) => candidate.name === name);
    if (protocol !== undefined) return protocol;
  }
  return undefined;
}

export type ChannelMessage =
  | { readonly type: 'data'; readonly channel: number; readonly data: Uint8Array }
  | { readonly type: 'close'; readonly channel: number };

/** Reads a message; undefined if it is empty or malformed. Text comes as a string or as its UTF-8 bytes. */
export function decodeChannelMessage(protocol: ChannelProtocol, message: Uint8Array | string): ChannelMessage | undefined {
  if (protocol.isBase64) {
    const text = typeof message === 'string' ? message : new TextDecoder().decode(message);
    const channel = text.charCodeAt(0) - 48;
    if (!(channel >= 0 && channel <= 207)) return undefined;
    try {
      return { type: 'data', channel, data: decodeBase64(text.slice(1)) };
    } catch {
      return undefined;
    }
  }
  const bytes = typeof message === 'string' ? new TextEncoder().encode(message) : message;
  const [channel, closed] = bytes;
  if (channel === undefined) return undefined;
  if (channel === closeSignal && protocol.canClose) return closed === undefined ? undefined : { type: 'close', channel: closed };
  return { type: 'data', channel, data: bytes.subarray(1) };
}

/** A message to be sent: bytes go as a binary message, a string as a text message. */
export function encodeChannelMessage(protocol: ChannelProtocol, channel: number, data: Uint8Array): Uint8Array | string {
  if (protocol.isBase64) return String.fromCharCode(48 + channel) + encodeBase64(data);
  const message = new Uint8Array(data.length + 1);
  message[0] = channel;
  message.set(data, 1);
  return message;
}

/** The message that half-closes a channel; only where the protocol can. */
export function encodeChannelClose(channel: number): Uint8Array {
  return Uint8Array.of(closeSignal, channel);
}

/** Reads a message of the resize channel, `{"Width":80,"Height":24}`; undefined if it is none. */
export function decodeTerminalSize(data: Uint8Array): { width: number; height: number } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
  const { Width: width, Height: height } = (value ?? {}) as { Width?: unknown; Height?: unknown };
  const isSize = (side: unknown): side is number => Number.isInteger(side) && Number(side) >= 0 && Number(side) <= 65_535;
  return isSize(width) && isSize(height) ? { width, height } : undefined;
}

export function encodeTerminalSize({ width, height }: { readonly width: number; readonly height: number }): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ Width: width, Height: height }));
}
