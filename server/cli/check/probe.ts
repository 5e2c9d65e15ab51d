import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import type { TLSFacts } from './check-facts.ts';

const patienceMs = 3000;

/** The status that a GET without credentials is answered with; undefined where nothing answers. Whose certificate it is does not matter. */
export function askWithoutCredentials(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = https.get(url, { rejectUnauthorized: false, agent: false, timeout: patienceMs }, (response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

/** Whether a port takes connections. */
export function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: patienceMs });
    const end = (answer: boolean) => {
      resolve(answer);
      socket.destroy();
    };
    socket.on('connect', () => end(true));
    socket.on('timeout', () => end(false));
    socket.on('error', () => end(false));
  });
}

/** RSA keys for the exchange have no forward secrecy; the others are broken. */
const weakCiphers = 'kRSA:3DES:RC4:@SECLEVEL=0';

/** Tries handshakes that a hardened server refuses. */
export async function probeTLS(host: string, port: number): Promise<TLSFacts> {
  const old = await shakeHands(host, port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' });
  const weak = await shakeHands(host, port, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: weakCiphers });
  return { oldVersions: old === undefined ? [] : [old.version], weakCiphers: weak === undefined ? [] : [weak.cipher] };
}

type Handshake = { readonly version: string; readonly cipher: string } | undefined;

function shakeHands(host: string, port: number, options: tls.SecureContextOptions): Promise<Handshake> {
  return new Promise((resolve) => {
    const socket = tls.connect({ host, port, rejectUnauthorized: false, timeout: patienceMs, ...options }, () => {
      resolve({ version: socket.getProtocol() ?? '', cipher: socket.getCipher().name });
      socket.destroy();
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('close', () => resolve(undefined));
    socket.on('error', () => resolve(undefined));
  });
}
