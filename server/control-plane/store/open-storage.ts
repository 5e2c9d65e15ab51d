import { readFile } from 'node:fs/promises';
import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { EncryptionChoice } from './encrypt-at-rest.ts';
import type { Storage } from '../../storage/storage.ts';
import { readFreeAddressSpace } from './address-space.ts';
import { scanStore } from './scan-store.ts';

/** The storage of objects: on disk by kubets itself, in etcd, or in memory only. */
export type StorageChoice =
  | { readonly kind: 'embedded' }
  | { readonly kind: 'memory' }
  | {
      readonly kind: 'etcd';
      readonly endpoints: readonly string[];
      readonly ca?: string;
      readonly certificate?: string;
      readonly key?: string;
    };

interface OpenStorageOptions {
  readonly choice: StorageChoice;
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How values are encrypted. Absent: they are not. */
  readonly encryption?: EncryptionChoice;
}

/** Opens the chosen store and loads only its code. `ca`, `certificate` and `key` are files. */
export async function openStorage(options: OpenStorageOptions): Promise<Storage> {
  const { encryption, clock, logger } = options;
  const storage = await openPlainStorage(options);
  if (encryption === undefined) return storage;
  const { encryptAtRest } = await import('./encrypt-at-rest.ts');
  return await encryptAtRest(storage, encryption, { clock, logger }).catch(async (error: unknown) => {
    await storage.close();
    throw error;
  });
}

async function openPlainStorage({ choice, directory, clock, logger }: OpenStorageOptions): Promise<Storage> {
  switch (choice.kind) {
    case 'memory': {
      const { createMemoryStorage } = await import('../../storage/memory/memory-storage.ts');
      return createMemoryStorage({ clock });
    }
    case 'embedded': {
      const { openEmbeddedStorage } = await import('../../storage/embedded/embedded-storage.ts');
      const addressSpaceBytes = readFreeAddressSpace();
      return openEmbeddedStorage({
        ...{ directory, clock, logger, processID: process.pid, scanStore },
        ...(addressSpaceBytes === undefined ? {} : { addressSpaceBytes }),
      });
    }
    case 'etcd': {
      const { connectEtcdStorage } = await import('../../storage/etcd/etcd-storage.ts');
      const { endpoints, ca, certificate, key } = choice;
      if (ca === undefined) return connectEtcdStorage({ endpoints, clock, logger });
      const tls = {
        certificateAuthority: await readFile(ca),
        ...(certificate === undefined ? {} : { certificate: await readFile(certificate) }),
        ...(key === undefined ? {} : { key: await readFile(key) }),
      };
      return connectEtcdStorage({ endpoints, tls, clock, logger });
    }
  }
}

/** Revisions that the store keeps at most; a store in this process pays for its history with memory. */
export function maxRevisionsOf(choice: StorageChoice): number | undefined {
  return { memory: 20_000, embedded: 200_000, etcd: undefined }[choice.kind];
}
