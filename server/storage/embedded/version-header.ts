import type { Version } from '../mvcc/version.ts';

const keyAt = 17;
const deletedFlag = 1;

/** Place of a version in the log, and its key in the database: exact as long as revisions stay below 2^43. */
export function recordNumber(version: Pick<Version, 'revision' | 'order'>): number {
  return version.revision + version.order / maxOperations;
}

/** The most changes of one revision. */
const maxOperations = 1024;

/** Encodes a version without its value: createRevision (float64), expiresAtMs (float64), flags, key in UTF-8. */
export function encodeHeader(version: Version): Buffer {
  const header = Buffer.allocUnsafe(keyAt + Buffer.byteLength(version.key));
  header.writeDoubleLE(version.createRevision, 0);
  header.writeDoubleLE(version.expiresAtMs, 8);
  header[16] = version.deleted ? deletedFlag : 0;
  header.write(version.key, keyAt);
  return header;
}

export function decodeHeader(number: number, header: Buffer): Version {
  const revision = Math.floor(number);
  return {
    key: header.toString('utf8', keyAt),
    revision,
    order: Math.round((number - revision) * maxOperations),
    createRevision: header.readDoubleLE(0),
    deleted: header[16] === deletedFlag,
    expiresAtMs: header.readDoubleLE(8),
    older: undefined,
    value: undefined,
  };
}
