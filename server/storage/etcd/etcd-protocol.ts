import { createRequire } from 'node:module';
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const definitions = loadSync(createRequire(import.meta.url).resolve('etcd3/proto/rpc.proto'), {
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});

/** A method of etcd's gRPC API, e.g. KV and range. Requests and responses are as etcd3's types describe them. */
export function etcdMethod<Request, Response>(service: string, method: string): MethodDefinition<Request, Response> {
  const methods = definitions[`etcdserverpb.${service}`];
  const name = method.charAt(0).toUpperCase() + method.slice(1);
  const definition = methods && Object.entries(methods).find(([key]) => key === name)?.[1];
  if (!isMethod<Request, Response>(definition)) throw new TypeError(`etcd has no method ${service}.${name}`);
  return definition;
}

function isMethod<Request, Response>(definition: unknown): definition is MethodDefinition<Request, Response> {
  return typeof definition === 'object' && definition !== null && 'requestSerialize' in definition;
}
