export interface OutgoingRequest {
  readonly method: string;
  readonly path: string;
  readonly contentType?: string | undefined;
  readonly body?: string | undefined;
}

/** Called while bytes are read; what is in `data` is overwritten afterwards. */
export interface ResponseHandler {
  onStatus(status: number): void;
  onData(data: Buffer, start: number, end: number): void;
  onEnd(): void;
  /** The connection or the stream broke; onEnd is not called any more. */
  onError(error: Error): void;
}

/**
 * A connection that does as little as HTTP lets it: no objects for headers, no copies of bodies. What a generator spends
 * is not there for the server on the same machine.
 */
export interface Connection {
  /** Over HTTP/1.1 one at a time. */
  send(request: OutgoingRequest, handler: ResponseHandler): void;
  close(): void;
}
