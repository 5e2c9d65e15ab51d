import { isEnvelope } from '../../../../api/serialization/protobuf/formats.ts';
import { decodeProtobuf } from '../../../../api/serialization/protobuf/protobuf.ts';
import type { CommitResult, Storage } from '../../../storage/storage.ts';
import { type PortRange, PortSet } from './port-set.ts';

/** The key at which upstream keeps it, too. */
const key = '/registry/ranges/servicenodeports';

/** The allocated node ports, in one object of the store, so that two servers cannot allocate the same one. */
export interface NodePortRegistry {
  /**
   * Calls `change` with the allocated ports, which it may change, and stores the result unless `dryRun`. Called again if another server was
   * faster. If it throws, nothing changes.
   */
  update<T>(change: (taken: PortSet) => T, dryRun: boolean): Promise<T>;
}

interface Present {
  readonly ports: PortSet;
  readonly revision: number;
}

export function createNodePortRegistry(storage: Storage, range: PortRange): NodePortRegistry {
  let present: Present | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const read = (entry: { readonly value: Uint8Array; readonly modRevision: number } | undefined): Present => ({
    ports: entry ? PortSet.decode(range, dataOf(entry.value)) : new PortSet(range),
    revision: entry?.modRevision ?? 0,
  });
  const store = (ports: PortSet, revision: number): Promise<CommitResult> =>
    storage.commit({ conditions: [{ key, modRevision: revision }], operations: [{ type: 'put', key, value: toValue(ports) }] });

  const update = async <T>(change: (taken: PortSet) => T, dryRun: boolean): Promise<T> => {
    for (;;) {
      present ??= read((await storage.get(key)).entry);
      const ports = present.ports.copy();
      const result = change(ports);
      if (dryRun || ports.encode() === present.ports.encode()) return result;
      let outcome: CommitResult;
      try {
        outcome = await store(ports, present.revision);
      } catch (error) {
        // Whether it was stored is not known.
        present = undefined;
        throw error;
      }
      if (outcome.succeeded) {
        present = { ports, revision: outcome.revision };
        return result;
      }
      present = read(outcome.current[0]);
    }
  };

  return {
    update(change, dryRun) {
      const mine = last.then(() => update(change, dryRun));
      last = mine.catch(() => {});
      return mine;
    },
  };
}

/** Upstream writes it in protobuf. */
function dataOf(value: Uint8Array): string {
  const object = isEnvelope(value) ? decodeProtobuf(value) : JSON.parse(new TextDecoder().decode(value));
  const { data } = object as { data?: string };
  return data ?? '';
}

/** v1 RangeAllocation, which no client ever sees. */
function toValue(ports: PortSet): Uint8Array {
  const range = `${ports.range.first}-${ports.range.last}`;
  const data = ports.encode();
  const object = { kind: 'RangeAllocation', apiVersion: 'v1', metadata: {}, range, ...(data === '' ? {} : { data }) };
  return new TextEncoder().encode(JSON.stringify(object));
}
