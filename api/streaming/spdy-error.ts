/** The peer does not speak SPDY/3.1 as it must, or a stream or the connection has ended. */
export class SPDYError extends Error {
  override readonly name = 'SPDYError';
}
