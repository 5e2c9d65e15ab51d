export interface OutgoingRequest {
  readonly method: string;
  readonly path: string;
  readonly contentType?: string | undefined;
  readonly body?: string | undefined;
}

/** Called while bytes are read; `data` is overwritten afterwards. */
export interface ResponseHandler {
  onStatus(status: number): void;
  onData(data: Buffer, start: number, end: number): void;
  onEnd(): void;
  /** The connection or the stream broke; onEnd is not called any more. */
  onError(error: Error): void;
}

/**
 * A connection that does as little as HTTP allows: no objects for headers, no copies of bodies. The generator shares the machine with the
 * server.
 */
export interface Connection {
  /** One request at a time with HTTP/1.1. */
  send(request: OutgoingRequest, handler: ResponseHandler): void;
  close(): void;
}
