import { readFile } from 'node:fs/promises';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { parseYAML } from '../../../api/serialization/yaml.ts';
import { parseEncryptionConfiguration } from '../../storage/encryption/configuration.ts';
import { createEncryption, type Encryption } from '../../storage/encryption/create-encryption.ts';
import { encryptStorage } from '../../storage/encryption/encrypted-storage.ts';
import { type Storage, StorageError } from '../../storage/storage.ts';

export interface EncryptionChoice {
  /** The file of an EncryptionConfiguration. */
  readonly file: string;
  /** Whether a change of the file is taken over without a restart. */
  readonly reloads: boolean;
}

export interface EncryptAtRestDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
}

const reloadIntervalMs = 60_000;
/** A KMS plugin may start at the same time as the API server. */
const startTimeoutMs = 10_000;
const startRetryMs = 500;

interface Loaded {
  readonly text: string;
  readonly encryption: Encryption;
  readonly stop: AbortController;
}

/**
 * A store whose values are encrypted by the configuration. Rejects if the configuration is wrong. If a KMS plugin does not answer at the
 * start, only the resources that it has the keys of are not served until it answers.
 */
export async function encryptAtRest(inner: Storage, choice: EncryptionChoice, dependencies: EncryptAtRestDependencies): Promise<Storage> {
  const { clock, logger } = dependencies;
  const startAnyway = (error: unknown) =>
    logger.error('a KMS plugin does not answer: what it has the keys of is not served until it does', { file: choice.file, error });
  let loaded = await load(choice.file, dependencies, startAnyway);
  const closing = new AbortController();
  const follow = async () => {
    while (!closing.signal.aborted) {
      await sleep(clock, reloadIntervalMs, closing.signal).catch(() => undefined); // closed
      if (closing.signal.aborted) return;
      try {
        if ((await readFile(choice.file, 'utf8')) === loaded.text) continue;
        const before = loaded;
        loaded = await load(choice.file, dependencies, rethrow);
        before.stop.abort();
        logger.info('the encryption configuration has been loaded anew', { file: choice.file });
      } catch (error) {
        logger.error('the changed encryption configuration cannot be used, the one before is', { file: choice.file, error });
      }
    }
  };
  const following = choice.reloads ? follow() : Promise.resolve();
  const storage = encryptStorage(inner, { find: (key) => loaded.encryption.find(key), clock, logger });
  return {
    ...storage,
    async checkHealth(signal) {
      await storage.checkHealth(signal);
      try {
        for (const provider of loaded.encryption.kms) provider.checkHealth();
      } catch (error) {
        throw new StorageError('unavailable', error instanceof Error ? error.message : String(error), { cause: error });
      }
    },
    async close() {
      closing.abort();
      loaded.stop.abort();
      await following;
      await storage.close();
    },
  };
}

function rethrow(error: unknown): never {
  throw error;
}

async function load(file: string, dependencies: EncryptAtRestDependencies, onSilence: (error: unknown) => void): Promise<Loaded> {
  const stop = new AbortController();
  try {
    const text = await readFile(file, 'utf8');
    const rules = parseEncryptionConfiguration(parseYAML(text).value);
    const definitions = catalog.filter(({ storageVersion }) => storageVersion === undefined);
    const encryption = createEncryption(rules, { ...dependencies, definitions });
    for (const provider of encryption.kms) await startProvider(provider, dependencies.clock).catch(onSilence);
    for (const provider of encryption.kms) void provider.run(stop.signal);
    return { text, encryption, stop };
  } catch (error) {
    throw new Error(`--encryption-provider-config ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function startProvider({ start }: Encryption['kms'][number], clock: Clock): Promise<void> {
  const endMs = clock.monotonicMs() + startTimeoutMs;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (clock.monotonicMs() >= endMs) throw error;
      await sleep(clock, startRetryMs);
    }
  }
}
