import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadServices } from '../../node-agent/plugins/registration/socket-service.ts';

type Handlers = Readonly<Record<string, (request: never) => Promise<object | void>>>;

/** Methods as functions of the request. An error that they throw is the answer, as an internal error. */
export function implementService(handlers: Handlers): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(handlers).map(([method, handle]) => [
      method,
      (call: ServerUnaryCall<unknown, object>, answer: sendUnaryData<object>) => {
        handle(call.request as never).then(
          (response) => answer(null, response ?? {}),
          (error: unknown) => answer({ code: status.INTERNAL, details: error instanceof Error ? error.message : String(error) }),
        );
      },
    ]),
  );
}

/** A gRPC service on a Unix socket, described by a file beside node-agent/csi. */
export async function serveSocket(
  socket: string,
  file: string,
  packagePath: readonly string[],
  service: string,
  implementation: UntypedServiceImplementation,
): Promise<Server> {
  const definition = loadServices(file, ...packagePath)[service];
  if (definition === undefined) throw new Error(`${file} describes no service ${service}`);
  const server = new Server();
  server.addService(definition.service, implementation);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
  return server;
}
