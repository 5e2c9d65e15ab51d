import type { Clock } from '../../../api/base/clock.ts';
import type { RecordStore } from '../mvcc/version.ts';
import { VersionIndex } from '../mvcc/version-index.ts';
import { createVersionedStorage } from '../mvcc/versioned-storage.ts';
import type { Storage } from '../storage.ts';
import { StorageError } from '../storage.ts';

/** A Storage that is gone with the process: for tests, simulation and clusters meant to be thrown away. */
export function createMemoryStorage({ clock }: { clock: Clock }): Storage {
  return createVersionedStorage({ records: valuesInVersions, index: new VersionIndex(), revision: 1, clock });
}

const valuesInVersions: RecordStore = {
  async append() {},
  read(version) {
    throw new StorageError('corrupt', `the value of ${version.key} at revision ${version.revision} is missing`);
  },
  async compact() {},
  async probe() {},
  async close() {},
};
