import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Clock } from '../../../api/base/clock.ts';
import { CRIError, interpretCRIError } from '../../cri/cri-error.ts';

/** Calls one method of a gRPC service. A failure is a CRIError with a message such as `rpc error: code = ... desc = ...`, as in Go. */
type Call = <T>(method: string, request: object) => Promise<T>;

interface SocketService {
  readonly call: Call;
  close(): void;
}

type Services = Record<string, ServiceClientConstructor>;

/** Constructors of the services of a package described by a file, whose path is relative to this folder. Names on the wire are kept, int64 are strings. */
export function loadServices(fileName: string, ...packagePath: readonly string[]): Services {
  const file = fileURLToPath(new URL(`./${fileName}`, import.meta.url));
  const loaded = loadPackageDefinition(loadSync(file, { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true }));
  let found: unknown = loaded;
  for (const part of packagePath) found = (found as Readonly<Record<string, unknown>>)[part];
  return found as Services;
}

/** Connects (lazily) to a service on a socket. */
export function connectService(
  constructor: ServiceClientConstructor | undefined,
  socket: string,
  { clock, timeoutSeconds }: { readonly clock: Clock; readonly timeoutSeconds: number },
): SocketService {
  if (constructor === undefined) throw new TypeError('no such service');
  const service = new constructor(`unix://${socket}`, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
  });
  return {
    call: <T>(method: string, request: object) =>
      new Promise<T>((resolve, reject) => {
        const send = service[method];
        if (send === undefined) return reject(new CRIError('Unimplemented', `unknown method ${method}`));
        const deadline = clock.nowMs() + timeoutSeconds * 1000;
        send.call(service, request, { deadline }, (error: unknown, response: T) => {
          if (error) reject(interpretCRIError(error));
          else resolve(response);
        });
      }),
    close: () => service.close(),
  };
}
