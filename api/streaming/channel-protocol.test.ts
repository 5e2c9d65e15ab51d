import assert from 'node:assert/strict';
import * as channels from './channel-protocol.ts';
import { decodeExitStatus, encodeExitStatus, type ExitStatus } from './exit-status.ts';
import * as ports from './port-forward-channels.ts';
import { spdyDictionary } from './spdy-dictionary.ts';

const bytes = (content: string) => new TextEncoder().encode(content);
const negotiate = channels.negotiateChannelProtocol;

describe('channel protocols', () => {
  it('are negotiated in the order of the client', () => {
    assert.equal(negotiate(['v5.channel.k8s.io', 'v4.channel.k8s.io'], 'remotecommand')?.name, 'v5.channel.k8s.io');
    assert.equal(negotiate(['v4.base64.channel.k8s.io'], 'remotecommand')?.isBase64, true);
    assert.deepEqual(negotiate([], 'remotecommand'), { name: '', isBase64: false, hasStatus: false, canClose: false });
    assert.equal(negotiate(['v9.channel.k8s.io'], 'remotecommand'), undefined);
    assert.equal(negotiate(['v5.channel.k8s.io', 'v4.channel.k8s.io'], 'port-forward')?.name, 'v4.channel.k8s.io');
    assert.equal(negotiate([], 'port-forward'), undefined);
  });

  it('carry bytes', () => {
    for (const name of ['channel.k8s.io', 'v4.base64.channel.k8s.io', 'v5.channel.k8s.io']) {
      const protocol = negotiate([name], 'remotecommand');
      assert.ok(protocol);
      const message = channels.encodeChannelMessage(protocol, 2, Uint8Array.of(0, 255, 10));
      assert.equal(typeof message, protocol.isBase64 ? 'string' : 'object');
      assert.deepEqual(channels.decodeChannelMessage(protocol, message), { type: 'data', channel: 2, data: Uint8Array.of(0, 255, 10) });
      assert.equal(channels.decodeChannelMessage(protocol, new Uint8Array(0)), undefined);
    }
  });

  it('close channels since v5', () => {
    const [v4, v5] = [negotiate(['v4.channel.k8s.io'], 'remotecommand'), negotiate(['v5.channel.k8s.io'], 'remotecommand')];
    assert.ok(v4 && v5);
    assert.deepEqual(channels.decodeChannelMessage(v5, channels.encodeChannelClose(0)), { type: 'close', channel: 0 });
    assert.equal(channels.decodeChannelMessage(v4, channels.encodeChannelClose(0))?.type, 'data');
    assert.equal(channels.decodeChannelMessage(v5, Uint8Array.of(255)), undefined);
  });

  it('resize terminals', () => {
    assert.deepEqual(channels.decodeTerminalSize(bytes('{"Width":101,"Height":33}')), { width: 101, height: 33 });
    assert.deepEqual(channels.decodeTerminalSize(channels.encodeTerminalSize({ width: 1, height: 2 })), { width: 1, height: 2 });
    for (const bad of ['', 'null', '{"Width":-1,"Height":3}', '{"Width":1}'])
      assert.equal(channels.decodeTerminalSize(bytes(bad)), undefined);
  });
});

describe('exit status', () => {
  const exits: [ExitStatus, string][] = [
    [{ type: 'success' }, '{"metadata":{},"status":"Success"}'],
    [
      { type: 'exit-code', code: 7 },
      '{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: exit status 7","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}',
    ],
  ];
  for (const [exit, json] of exits) {
    it(json.slice(0, 40), () => {
      assert.equal(new TextDecoder().decode(encodeExitStatus(exit, true)), json);
      assert.deepEqual(decodeExitStatus(bytes(json)), exit);
    });
  }
  it('is text before v4', () => {
    assert.equal(encodeExitStatus({ type: 'success' }, false).length, 0);
    assert.deepEqual(decodeExitStatus(bytes('went wrong')), { type: 'failure', message: 'went wrong' });
    assert.deepEqual(decodeExitStatus(bytes('')), { type: 'success' });
  });
});

describe('port-forward channels', () => {
  it('come in pairs and name their port', () => {
    assert.deepEqual(ports.portChannels([80, 443])[1], { port: 443, data: 2, error: 3 });
    assert.deepEqual(ports.encodePortPreamble(8080), Uint8Array.of(0x90, 0x1f));
    assert.equal(ports.decodePortPreamble(ports.encodePortPreamble(65_535)), 65_535);
    assert.equal(ports.decodePortPreamble(Uint8Array.of(1)), undefined);
  });
  it('are asked for in the query', () => {
    assert.deepEqual(ports.parsePorts(['80,443', '8080']), [80, 443, 8080]);
    for (const bad of [[], [''], ['0'], ['65536'], ['x'], ['1e3']]) assert.throws(() => ports.parsePorts(bad));
  });
});

describe('SPDY dictionary', () => {
  it('is the one of the specification', async () => {
    const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(spdyDictionary));
    assert.equal(spdyDictionary.length, 1423);
    assert.equal(Buffer.from(digest).toString('hex'), '51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02');
  });
});
