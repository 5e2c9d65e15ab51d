import path from 'node:path';
import { Client, credentials, type MethodDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Clock } from '../../../api/base/clock.ts';
import { StorageError } from '../storage.ts';

type Annotations = Readonly<Record<string, Uint8Array>>;

export interface EncryptedSeed {
  readonly ciphertext: Uint8Array;
  readonly key_id: string;
  readonly annotations: Annotations;
}

/**
 * A key management plugin. Every failure rejects, within the time that was given for a call: with StorageError 'unavailable'
 * where the plugin gave no answer, so that the same call may succeed later.
 */
export interface KMSService {
  status(): Promise<{ readonly version: string; readonly healthz: string; readonly key_id: string }>;
  encrypt(plaintext: Uint8Array, uid: string): Promise<EncryptedSeed>;
  decrypt(request: EncryptedSeed & { readonly uid: string }): Promise<Uint8Array>;
  close(): void;
}

/** A stored value (EncryptedObject). */
export interface EncryptedObject {
  readonly encrypted_data: Uint8Array;
  readonly key_id: string;
  readonly encrypted_dek_source: Uint8Array;
  readonly annotations: Annotations;
  readonly encrypted_dek_source_type: number;
}

type Method = MethodDefinition<object, object>;

const packages = loadSync(path.join(import.meta.dirname, 'kms-v2.proto'), { keepCase: true, defaults: true });

function methodOf(service: string, name: string): Method {
  const found = (packages[`v2.${service}`] as unknown as Readonly<Record<string, Method>> | undefined)?.[name];
  if (found === undefined) throw new TypeError(`kms-v2.proto has no method ${service}.${name}`);
  return found;
}

const stored = methodOf('StoredForm', 'Put');

export function encodeEncryptedObject(object: EncryptedObject): Uint8Array {
  return stored.requestSerialize(object);
}

export function decodeEncryptedObject(bytes: Uint8Array): EncryptedObject {
  return stored.requestDeserialize(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as EncryptedObject;
}

const withoutAnswer: ReadonlySet<status> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.UNAVAILABLE,
]);

function noAnswer(cause: ServiceError): StorageError {
  return new StorageError('unavailable', cause.message, { cause });
}

/** @param socket the path of a unix socket; a path that begins with @ is in the abstract namespace */
export function connectKMS({ socket, timeoutMs }: { readonly socket: string; readonly timeoutMs: number }, clock: Clock): KMSService {
  const target = socket.startsWith('@') ? `unix-abstract:${socket.slice(1)}` : `unix:${socket}`;
  // Without it the name of the socket is sent as the authority, which servers of Go refuse.
  const client = new Client(target, credentials.createInsecure(), { 'grpc.default_authority': 'localhost' });
  const call = <T>(name: string, request: object): Promise<T> =>
    new Promise((resolve, reject) => {
      const { path: method, requestSerialize, responseDeserialize } = methodOf('KeyManagementService', name);
      const deadline = clock.nowMs() + timeoutMs;
      client.makeUnaryRequest(method, requestSerialize, responseDeserialize, request, { deadline }, (error, answer) => {
        if (error) reject(withoutAnswer.has(error.code) ? noAnswer(error) : error);
        else resolve(answer as T);
      });
    });
  return {
    status: () => call('Status', {}),
    encrypt: (plaintext, uid) => call('Encrypt', { plaintext, uid }),
    async decrypt(request) {
      const { plaintext } = await call<{ readonly plaintext: Uint8Array }>('Decrypt', request);
      return plaintext;
    },
    close: () => client.close(),
  };
}
