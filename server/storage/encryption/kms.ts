import { randomBytes, randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { aesGCM, derivedGCM, seedBytes } from './aes.ts';
import { decodeEncryptedObject, type EncryptedObject, type EncryptedSeed, encodeEncryptedObject, type KMSService } from './kms-service.ts';
import type { Transformer } from './transformer.ts';

/** Encrypts with seeds that a key management plugin keeps safe (KMS v2): it is asked once for a seed, not once for a value. */
export interface KMSProvider extends Transformer {
  /** Gets the first seed; rejects where the plugin does not answer. */
  start(): Promise<void>;
  /** Follows the plugin's state until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Throws where the plugin was not well when it was asked last. */
  checkHealth(): void;
}

interface KMSProviderDependencies {
  readonly name: string;
  readonly service: KMSService;
  readonly clock: Clock;
  readonly logger: Logger;
}

const healthyIntervalMs = 60_000;
const unhealthyIntervalMs = 10_000;
/** Without a word from the plugin a seed is used for so long. */
const seedTTLMs = 180_000;
const maxKeyIDBytes = 1024;
const maxSourceBytes = 1024;
const maxAnnotationsBytes = 32 * 1024;
const sourceIsSeed = 1;
/** Plugins have used few keys at a time, each restart of the server a seed. */
const maxReaders = 1000;
const readerTTLMs = 24 * 3_600_000;

interface Seed {
  readonly encrypted: EncryptedSeed;
  readonly writer: Omit<Transformer, 'prefix'>;
  validUntilMs: number;
}

type Reader = Pick<Transformer, 'decrypt'>;

export function createKMSProvider({ name, service, clock, logger }: KMSProviderDependencies): KMSProvider {
  let problem: Error | undefined = new Error('the KMS plugin has not been asked yet');
  const readers = createReaders(service, clock);
  const seeds = createSeeds(service, clock, readers);
  const look = async (): Promise<void> => {
    try {
      await seeds.renew();
      problem = undefined;
    } catch (error) {
      problem = new Error(`KMS provider ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      throw problem;
    }
  };
  return {
    prefix: `k8s:enc:kms:v2:${name}:`,
    start: look,
    async run(signal) {
      while (!signal.aborted) {
        await sleep(clock, problem ? unhealthyIntervalMs : healthyIntervalMs, signal).catch(() => undefined);
        if (!signal.aborted) await look().catch((error: unknown) => logger.warn('a KMS plugin is not well', { provider: name, error }));
      }
      service.close();
    },
    checkHealth() {
      if (problem) throw problem;
    },
    async encrypt(value, place) {
      const seed = seeds.present();
      if (!seed) throw problem ?? new Error(`KMS provider ${name} has no key`);
      if (clock.monotonicMs() > seed.validUntilMs)
        throw new Error(`KMS provider ${name}: its key may not be used for writes any more, as the plugin has not answered for a while`);
      return encodeEncryptedObject(toObject(seed.encrypted, await seed.writer.encrypt(value, place)));
    },
    async decrypt(stored, place) {
      const object = decodeEncryptedObject(stored);
      checkObject(object);
      const reader = await readers.get(object);
      const { value } = await reader.decrypt(object.encrypted_data, place);
      const isOther = object.key_id !== seeds.present()?.encrypted.key_id || object.encrypted_dek_source_type !== sourceIsSeed;
      return { value, isStale: isOther };
    },
  };
}

/** The keys that were used last, each of which the plugin is asked for once. */
function createReaders(service: KMSService, clock: Clock) {
  const readers = new LRUCache<string, Promise<Reader>>({ max: maxReaders, ttl: readerTTLMs, perf: { now: () => clock.monotonicMs() } });
  return {
    add: (encrypted: EncryptedSeed, reader: Reader) =>
      void readers.set(readerKey(toObject(encrypted, Uint8Array.of(0))), Promise.resolve(reader)),
    get(object: EncryptedObject): Promise<Reader> {
      const key = readerKey(object);
      const known = readers.get(key);
      if (known) return known;
      const { encrypted_dek_source: ciphertext, key_id, annotations, encrypted_dek_source_type: type } = object;
      const found = service.decrypt({ ciphertext, key_id, annotations, uid: randomUUID() }).then((plain): Reader => {
        checkKeyLength(plain.length, type);
        return type === sourceIsSeed ? derivedGCM(plain) : aesGCM('', plain);
      });
      readers.set(key, found);
      // A key that failed is asked for again.
      found.catch(() => readers.delete(key));
      return found;
    },
  };
}

/** The seed of what is written. */
function createSeeds(service: KMSService, clock: Clock, readers: ReturnType<typeof createReaders>) {
  let seed: Seed | undefined;
  return {
    present: () => seed,
    /** Keeps the seed for a further while, or takes a new one where the plugin has changed its key. Rejects if the plugin is not well. */
    async renew(): Promise<void> {
      const { version, healthz, key_id: keyID } = await service.status();
      if (version !== 'v2' && version !== 'v2beta1') throw new Error(`expected KMSv2 API version v2, got ${version}`);
      if (healthz !== 'ok') throw new Error(`got unexpected healthz status: ${healthz}`);
      checkKeyID(keyID);
      const validUntilMs = clock.monotonicMs() + seedTTLMs;
      if (seed?.encrypted.key_id === keyID) {
        seed.validUntilMs = validUntilMs;
        return;
      }
      const plain = randomBytes(seedBytes);
      const encrypted = await service.encrypt(plain, randomUUID());
      checkEncrypted(encrypted);
      seed = { encrypted, writer: derivedGCM(plain), validUntilMs };
      readers.add(encrypted, seed.writer);
    },
  };
}

function toObject({ ciphertext, key_id, annotations }: EncryptedSeed, data: Uint8Array): EncryptedObject {
  return { encrypted_data: data, key_id, encrypted_dek_source: ciphertext, annotations, encrypted_dek_source_type: sourceIsSeed };
}

/** Identifies the source of keys. */
function readerKey({ encrypted_dek_source_type: type, encrypted_dek_source: source, key_id, annotations }: EncryptedObject): string {
  const texts = Object.entries(annotations).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  return JSON.stringify([type, Buffer.from(source).toString('base64'), key_id, texts.sort(([a = ''], [b = '']) => (a < b ? -1 : 1))]);
}

function checkKeyID(keyID: string): void {
  if (keyID === '') throw new Error('keyID is empty');
  if (Buffer.byteLength(keyID) > maxKeyIDBytes)
    throw new Error(`keyID is ${Buffer.byteLength(keyID)} bytes, which exceeds the max size of ${maxKeyIDBytes}`);
}

function checkKeyLength(length: number, type: number): void {
  const lengths = type === sourceIsSeed ? [seedBytes] : [16, 24, 32];
  if (!lengths.includes(length)) throw new Error(`the KMS plugin answered ${length} bytes for a key of ${lengths.join(' or ')}`);
}

function checkEncrypted({ ciphertext, key_id, annotations }: EncryptedSeed): void {
  checkKeyID(key_id);
  if (ciphertext.length === 0) throw new Error('encrypted DEK source is empty');
  if (ciphertext.length > maxSourceBytes)
    throw new Error(`encrypted DEK source is ${ciphertext.length} bytes, which exceeds the max size of ${maxSourceBytes}`);
  const bytes = Object.entries(annotations).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + value.length, 0);
  if (bytes > maxAnnotationsBytes)
    throw new Error(`total size of annotations is ${bytes}, which exceeds the max size of ${maxAnnotationsBytes}`);
}

function checkObject(object: EncryptedObject): void {
  checkEncrypted({ ciphertext: object.encrypted_dek_source, key_id: object.key_id, annotations: object.annotations });
  if (object.encrypted_dek_source_type > sourceIsSeed)
    throw new Error(`unknown encryptedDEKSourceType: ${object.encrypted_dek_source_type}`);
  if (object.encrypted_data.length === 0) throw new Error('encrypted data is empty');
}
