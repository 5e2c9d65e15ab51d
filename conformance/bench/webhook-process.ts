import { fork } from 'node:child_process';
import path from 'node:path';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import { makeAuthority, makeCertificate } from '../../server/pki/make-certificate.ts';
import type { WebhookMessage } from './load/webhook.ts';

/** A webhook on this machine that admits everything. */
interface WebhookProcess {
  readonly url: string;
  /** The certificate authority, in base64. */
  readonly caBundle: string;
  /** The calls since this was last asked, and how long they took in the webhook itself. */
  spent(): Promise<{ readonly spentMs: number; readonly calls: number }>;
  close(): void;
}

export async function startWebhook(): Promise<WebhookProcess> {
  const making = { clock: systemClock, random: systemRandom };
  const authority = await makeAuthority('bench', making);
  const pair = await makeCertificate(
    { commonName: 'webhook', usages: ['server'], validityDays: 1, addresses: ['127.0.0.1'] },
    authority,
    making,
  );
  const child = fork(path.join(import.meta.dirname, 'load/webhook-main.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ask = <T extends WebhookMessage['type']>(message: object | string, type: T) =>
    new Promise<Extract<WebhookMessage, { type: T }>>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the webhook ended (${code})`)));
      child.once('message', (answer: WebhookMessage) => {
        if (answer.type === type) resolve(answer as Extract<WebhookMessage, { type: T }>);
      });
      child.send(message);
    });
  const { port } = await ask({ key: pair.keyPEM, certificate: pair.certificatePEM }, 'listening');
  return {
    url: `https://127.0.0.1:${port}/admit`,
    caBundle: Buffer.from(authority.certificatePEM).toString('base64'),
    spent: () => ask('spent', 'spent'),
    close: () => child.disconnect(),
  };
}
