import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import path from 'node:path';
import { loadPackageDefinition, Server, ServerCredentials, type ServiceClientConstructor, type UntypedHandleCall } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

type Callback = (error: Error | null, answer?: object) => void;
interface Call {
  readonly request: { readonly plaintext: Buffer; readonly ciphertext: Buffer; readonly key_id: string };
}

/** A key management plugin with replaceable keys, like one of a cloud provider. */
export class KMSPlugin {
  readonly keys = new Map<string, Buffer>([['one', randomBytes(32)]]);
  readonly asked = { encrypt: 0, decrypt: 0 };
  keyID = 'one';
  healthz = 'ok';
  /** The answer of Decrypt instead. */
  decrypts: ((callback: Callback) => void) | undefined;
  #server: Server | undefined;

  async listen(socket: string): Promise<void> {
    const loaded = loadPackageDefinition(loadSync(path.join(import.meta.dirname, '../kms-v2.proto'), { keepCase: true, defaults: true }));
    const { service } = (loaded['v2'] as unknown as Record<string, ServiceClientConstructor>)[
      'KeyManagementService'
    ] as ServiceClientConstructor;
    const nonce = Buffer.alloc(12);
    const methods = {
      Status: (_: Call, callback: Callback) => callback(null, { version: 'v2', healthz: this.healthz, key_id: this.keyID }),
      Encrypt: ({ request }: Call, callback: Callback) => {
        this.asked.encrypt++;
        const cipher = createCipheriv('aes-256-gcm', this.keys.get(this.keyID) ?? '', nonce);
        const ciphertext = Buffer.concat([cipher.update(request.plaintext), cipher.final(), cipher.getAuthTag()]);
        callback(null, { ciphertext, key_id: this.keyID, annotations: { 'version.example.com': Buffer.from('1') } });
      },
      Decrypt: ({ request }: Call, callback: Callback) => {
        this.asked.decrypt++;
        if (this.decrypts) return this.decrypts(callback);
        const key = this.keys.get(request.key_id);
        if (!key) return callback(new Error(`no key ${request.key_id}`));
        const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(request.ciphertext.subarray(-16));
        callback(null, { plaintext: Buffer.concat([decipher.update(request.ciphertext.subarray(0, -16)), decipher.final()]) });
      },
    };
    this.#server = new Server();
    this.#server.addService(service, methods as unknown as Record<string, UntypedHandleCall>);
    await new Promise<void>((resolve, reject) =>
      this.#server?.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
    );
  }

  stop(): void {
    this.#server?.forceShutdown();
  }
}
