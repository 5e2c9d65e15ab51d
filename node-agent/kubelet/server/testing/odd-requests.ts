import { type Random, randomInt } from '../../../../api/base/random.ts';

/** Bytes for the kubelet's port: requests of all shapes, incomplete protocol switches, frames, and data that is not HTTP. */
export interface OddRequest {
  readonly name: string;
  /** The parts are sent one after the other; the answer to the first is awaited before the second. */
  readonly parts: readonly Buffer[];
}

const paths = [
  '/exec/n/p/c',
  '/attach/n/p/c',
  '/portForward/n/p',
  '/containerLogs/n/p/c',
  '/logs/',
  '/healthz',
  '/pods',
  '/localVolumes/x',
  '/',
];
const oddPaths = [
  '/%zz',
  '/%',
  '//',
  '///%65xec/n/p/c',
  '/%65xec/n/p/c',
  '/.//exec/n/p/c',
  '/exec/%2e%2e/n',
  '/%c0%af',
  '/\u00ff',
  '*',
  'x',
  ':',
  '//[',
  'http://[',
  'https://k/%zz',
  '/?%zz=%',
  '/exec/n/p/c/%00',
  '/exec#',
];
const queries = [
  '',
  '?command=id&output=1',
  '?output=1&input=1&command=%zz',
  '?stdout=1',
  '?port=80',
  '?port=x',
  '?tailLines=99999999999',
  '?%',
];
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'BREW', ''];
const upgrades = ['websocket', 'SPDY/3.1', 'h2c', 'x', '\u0001'];
const protocols = ['v4.channel.k8s.io', 'v5.channel.k8s.io', 'base64.channel.k8s.io', 'SPDY/3.1+portforward.k8s.io', 'nonsense', ',,,', ''];
const frames = [
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28],
  [0x82, 0x02, 0, 65],
  [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
  [0x88, 0x81, 0, 0, 0, 0, 1],
  [0x89, 0xfe, 0, 200, 0, 0, 0, 0],
  [0x80, 0x80, 0, 0, 0, 0],
  [0x02, 0x80, 0, 0, 0, 0, 0x02, 0x80, 0, 0, 0, 0],
  [0x83, 0x80, 0, 0, 0, 0],
  [0x82, 0x80, 0, 0, 0, 0],
];

export function createOddRequests(random: Random): () => OddRequest {
  const pick = <T>(values: readonly [T, ...T[]] | readonly T[]): T => values[randomInt(random, values.length)] as T;
  const chance = (percent: number) => randomInt(random, 100) < percent;
  const target = () => {
    let path = chance(60) ? pick(paths) : pick(oddPaths);
    if (chance(20)) path = path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
    return `${path}${pick(queries)}`;
  };
  const head = (isUpgrade: boolean) => {
    const lines = [`${chance(80) ? 'GET' : pick(methods)} ${target()} HTTP/1.${chance(95) ? 1 : 0}`, 'Host: x'];
    if (chance(70)) lines.push(`Authorization: Bearer ${chance(85) ? 'user' : '\u0000'}`);
    if (isUpgrade)
      lines.push(`Connection: ${chance(90) ? 'Upgrade' : 'upgrade, keep-alive'}`, `Upgrade: ${chance(70) ? 'websocket' : pick(upgrades)}`);
    if (chance(80))
      lines.push(`Sec-WebSocket-Key: ${chance(90) ? 'AAAAAAAAAAAAAAAAAAAAAA==' : 'x'}`, `Sec-WebSocket-Version: ${chance(90) ? 13 : 99}`);
    if (chance(80)) lines.push(`Sec-WebSocket-Protocol: ${chance(60) ? pick(protocols.slice(0, 3)) : pick(protocols)}`);
    if (chance(5)) lines.push(`Content-Length: ${pick(['3', '-1', '99999999999', 'x'])}`);
    if (chance(3)) lines.push('Transfer-Encoding: chunked');
    if (chance(3)) lines.push(`X: ${'x'.repeat(randomInt(random, 20_000))}`);
    const text = `${lines.join('\r\n')}\r\n\r\n`;
    return Buffer.from(chance(4) ? text.slice(0, randomInt(random, text.length)) : text, 'latin1');
  };
  const frame = () => Buffer.from(chance(80) ? pick(frames) : [...random.bytes(randomInt(random, 300))]);
  return () => {
    if (chance(4)) return { name: 'no request', parts: [Buffer.from(random.bytes(1 + randomInt(random, 500)))] };
    if (chance(25)) return { name: 'request', parts: [head(false)] };
    if (chance(30)) return { name: 'upgrade', parts: [head(true)] };
    // Frames in the same packet as the head, and after the switch.
    if (chance(40)) return { name: 'upgrade with frames', parts: [Buffer.concat([head(true), frame(), frame()])] };
    return { name: 'upgrade, then frames', parts: [head(true), frame(), frame()] };
  };
}
