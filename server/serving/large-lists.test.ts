import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { ask, type ServedServer, startServedServer } from './testing/start-served-server.ts';

interface List {
  readonly items: readonly { readonly metadata: { readonly name: string }; readonly data: { readonly text: string } }[];
}

const sizes = [...Array.from({ length: 300 }, (_, index) => 3000 + index), 70_000, 5000, 400_000, 66_000, 10];

describe('a list of many chunks', () => {
  let served: ServedServer;
  before(async () => {
    served = await startServedServer();
    for (const [index, size] of sizes.entries())
      await served.client(configMaps).create({
        metadata: { namespace: 'default', name: `m-${String(index).padStart(4, '0')}` },
        data: { text: `${index},`.repeat(size).slice(0, size) },
      });
  });
  after(() => served.close());

  async function ask2(path: string): Promise<string> {
    const session = http2.connect(`https://${served.host}`, await served.credentials());
    const stream = session.request({ ':path': path });
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    session.close();
    return Buffer.concat(pieces).toString();
  }

  function check(text: string): void {
    const { items } = JSON.parse(text) as List;
    assert.equal(items.length, sizes.length);
    for (const [index, { metadata, data }] of items.entries()) {
      const size = sizes[index] ?? 0;
      assert.equal(metadata.name, `m-${String(index).padStart(4, '0')}`);
      assert.ok(data.text === `${index},`.repeat(size).slice(0, size), `${metadata.name} is another`);
    }
  }

  it('is read as it is by several at once, on both protocols', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    const first = Array.from({ length: 3 }, async () => (await ask(served, path)).text);
    for (const text of await Promise.all([...first, ask2(path), ask2(path)])) check(text);
  });
});
