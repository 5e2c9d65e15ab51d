/**
 * Port-forward over WebSocket channels (v4): the query's n-th port has channel 2n for its data and 2n+1 for errors. The
 * server begins each channel with the port in two bytes, little-endian.
 */
export interface PortChannel {
  readonly port: number;
  readonly data: number;
  readonly error: number;
}

export function portChannels(ports: readonly number[]): PortChannel[] {
  return ports.map((port, index) => ({ port, data: 2 * index, error: 2 * index + 1 }));
}

export function encodePortPreamble(port: number): Uint8Array {
  return Uint8Array.of(port & 0xff, port >> 8);
}

/** The port that a channel's first message names; undefined if it is none. */
export function decodePortPreamble(data: Uint8Array): number | undefined {
  const [low, high] = data;
  return low === undefined || high === undefined ? undefined : low | (high << 8);
}

/** Reads `ports=80&ports=443` or `ports=80,443` of the query. Throws an Error with upstream's message. */
export function parsePorts(values: readonly string[]): number[] {
  if (values.length === 0) throw new Error('query parameter "ports" is required');
  return values
    .flatMap((value) => value.split(','))
    .map((text) => {
      if (text === '') throw new Error('query parameter "ports" cannot be empty');
      const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
      if (port < 1 || port > 65_535) throw new Error(`unable to parse ${JSON.stringify(text)} as a port: must be between 1 and 65535`);
      return port;
    });
}
