import { writeSync } from 'node:fs';
import { silentLogger } from '../../../../api/base/logger.ts';
import { systemClock } from '../../../../api/base/system-clock.ts';
import { openEmbeddedStorage } from '../embedded-storage.ts';

// Writes new keys from 16 callers at once until it is killed, and prints each with its revision once it is acknowledged.
const [directory = '', round = ''] = process.argv.slice(2);
const storage = await openEmbeddedStorage({ directory, clock: systemClock, logger: silentLogger, processID: process.pid });
const padding = 'x'.repeat(2000);

async function write(caller: number): Promise<void> {
  for (let count = 0; ; count++) {
    const key = `/registry/x/${round}-${caller}-${count}`;
    const value = Buffer.from(`${key} ${padding}`);
    const { revision } = await storage.commit({ conditions: [{ key, modRevision: 0 }], operations: [{ type: 'put', key, value }] });
    writeSync(1, `${key} ${revision}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, (_, caller) => write(caller)));
