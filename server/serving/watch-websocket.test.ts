import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { type ServedServer, startServedServer } from './testing/start-served-server.ts';

describe('watching over a WebSocket', () => {
  let served: ServedServer;
  before(async () => (served = await startServedServer()));
  after(() => served.close());

  const path = '/api/v1/namespaces/default/configmaps';
  async function open(
    query: string,
    { protocols = [] as string[], headers = {} as Record<string, string>, origin = 'https://ui.example' } = {},
  ) {
    const socket = new WebSocket(`wss://${served.host}${path}?watch=1${query}`, protocols, {
      ...(await served.credentials()),
      headers,
      ...(origin === '' ? {} : { origin }),
    });
    const messages: { readonly data: Buffer; readonly isBinary: boolean }[] = [];
    let wake = () => {};
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      messages.push({ data, isBinary });
      wake();
    });
    const next = async () => {
      for (;;) {
        const message = messages.shift();
        if (message) return message;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    };
    return { socket, next };
  }
  /** Status of an answer that is no switch. */
  async function refusal(opened: ReturnType<typeof open>): Promise<number | undefined> {
    const { socket } = await opened;
    socket.on('error', () => {});
    const [, response] = await once(socket, 'unexpected-response');
    socket.terminate();
    return response.statusCode;
  }

  it('gives each event as a message of text, as a line of the answer would be', async () => {
    await served.client(configMaps).create({ metadata: { namespace: 'default', name: 'first' } });
    const { socket, next } = await open('');
    const first = await next();
    assert.equal(first.isBinary, false);
    assert.match(first.data.toString(), /^\{"type":"ADDED","object":\{"kind":"ConfigMap".*\}\n$/);
    await served.client(configMaps).create({ metadata: { namespace: 'default', name: 'second' } });
    assert.equal(JSON.parse((await next()).data.toString()).object.metadata.name, 'second');
    socket.close();
    const [code] = await once(socket, 'close');
    assert.ok([1000, 1005].includes(code), String(code));
  });

  it('gives protobuf as binary messages, without a length', async () => {
    const { socket, next } = await open('', { headers: { accept: 'application/vnd.kubernetes.protobuf' } });
    const { data, isBinary } = await next();
    assert.equal(isBinary, true);
    // Field 1, a text of five letters.
    assert.deepEqual(data.subarray(0, 7).toString('latin1'), '\n\x05ADDED');
    socket.close();
  });

  it('speaks the protocol that is offered', async () => {
    const { socket, next } = await open('', { protocols: ['my.protocol'] });
    await once(socket, 'open');
    assert.equal(socket.protocol, 'my.protocol');
    assert.equal(JSON.parse((await next()).data.toString()).type, 'ADDED');
    socket.close();
  });

  it('ends when its time is up', async () => {
    const { socket } = await open('&timeoutSeconds=1');
    const [code] = await once(socket, 'close');
    assert.equal(code, 1000);
  });

  it('wants an Origin, one protocol, and a query that makes sense', async () => {
    assert.equal(await refusal(open('', { origin: '' })), 403);
    assert.equal(await refusal(open('', { protocols: ['a', 'b'] })), 400);
    assert.equal(await refusal(open('&labelSelector=!!')), 400);
  });

  it('is over when the client is gone', async () => {
    const watches = async () => {
      const answer = await served.client.transport({
        method: 'GET',
        path: '/metrics',
        query: '',
        headers: {},
        signal: new AbortController().signal,
      });
      let text = '';
      if (answer.body.kind === 'stream') for await (const chunk of answer.body.chunks) text += Buffer.from(chunk).toString();
      return Number(
        /^apiserver_longrunning_requests\{verb="WATCH",group="",version="v1",resource="configmaps",.*\} (\d+)$/m.exec(text)?.[1] ?? 0,
      );
    };
    const before = await watches();
    const { socket, next } = await open('');
    await next();
    assert.equal(await watches(), before + 1);
    socket.terminate();
    while ((await watches()) > before) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});
