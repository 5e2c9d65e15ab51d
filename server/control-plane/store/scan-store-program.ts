// Reads everything in a store, in a process of its own: where the file is damaged, it is this process that ends.
//   node scan-store-program.ts <file>      writes a line with the newest revision and the number of versions that it could read
import { writeSync } from 'node:fs';
import { open } from 'lmdb';
import { decodeHeader, recordNumber } from '../../storage/embedded/version-header.ts';

const reportEvery = 256;

function scan(path: string): void {
  const root = open({ path, noSubdir: true, encoding: 'binary', maxDbs: 4, readOnly: true });
  const headers = root.openDB<Uint8Array, number>({ name: 'headers', encoding: 'binary' });
  const values = root.openDB<Uint8Array, number>({ name: 'values', encoding: 'binary', compression: { threshold: 4000 } });
  let count = 0;
  let revision = 0;
  const report = () => writeSync(1, `${JSON.stringify({ count, revision })}\n`);
  for (const { key, value } of headers.getRange()) {
    const version = decodeHeader(key, Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    if (!version.deleted && !values.getBinary(recordNumber(version))) throw new Error(`the value of ${version.key} is missing`);
    count++;
    ({ revision } = version);
    if (count % reportEvery === 0) report();
  }
  report();
}

const [file = ''] = process.argv.slice(2);
try {
  scan(file);
  process.exit(0);
} catch (error) {
  writeSync(2, error instanceof Error ? error.message : String(error));
  process.exit(1);
}
