import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { systemClock } from '../../api/base/system-clock.ts';
import type { Client } from '../../api/client/client.ts';
import { createClient } from '../../api/client/create-client.ts';
import { formatTime, findTime } from '../../api/meta/time.ts';
import { parseDurationMs } from '../../api/meta/duration.ts';
import { secrets } from '../../api/resources/core/v1/secret.ts';
import { getInstance } from './data-dir.ts';
import { parseKubeconfig } from './kubeconfig.ts';
import { dataDirOption } from './options.ts';

const namespace = 'kube-system';
const secretName = (id: string) => `bootstrap-token-${id}`;
const decode = (data: Readonly<Record<string, string>> | undefined, field: string) => Buffer.from(data?.[field] ?? '', 'base64').toString();

/** Bootstrap tokens (the Secrets that upstream's `kubeadm token` makes). */
export function addTokenCommand(program: Command): void {
  const token = program.command('token').description('Bootstrap tokens: what new nodes and tools authenticate with.');
  token
    .command('create')
    .description('Make a token and print it.')
    .option('--ttl <duration>', 'how long it is good for; 0 for ever', '24h')
    .option('--description <text>', 'what it is for')
    .addOption(dataDirOption())
    .action((flags: { ttl: string; description?: string; dataDir: string }) =>
      withClient(flags.dataDir, (client) => createToken(client, flags)),
    );
  token
    .command('list')
    .description('Show the tokens.')
    .addOption(dataDirOption())
    .action(({ dataDir }: { dataDir: string }) => withClient(dataDir, listTokens));
  token
    .command('delete')
    .description('Make a token worthless.')
    .argument('<token-or-id>')
    .addOption(dataDirOption())
    .action((text: string, { dataDir }: { dataDir: string }) => withClient(dataDir, (client) => deleteToken(client, text)));
}

async function withClient(dataDir: string, work: (client: Client) => Promise<void>): Promise<void> {
  const credentials = parseKubeconfig(readFileSync(getInstance(dataDir).kubeconfig, 'utf8'));
  // Loaded only here: a control plane is no client of its own port.
  const { createHTTPTransport } = await import('../../api/client/http-transport.ts');
  const http = createHTTPTransport({ ...credentials, clock: systemClock });
  try {
    await work(createClient(http.transport, { userAgent: 'kubets' }));
  } finally {
    http.close();
  }
}

async function createToken(client: Client, { ttl, description }: { ttl: string; description?: string }): Promise<void> {
  const text = (length: number) => Array.from(randomBytes(length), (byte) => '0123456789abcdefghijklmnopqrstuv'[byte & 31]).join('');
  const [id, secret] = [text(6), text(16)];
  const ttlMs = ttl === '0' ? 0 : parseDurationMs(ttl);
  await client(secrets).create({
    metadata: { name: secretName(id), namespace },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': id,
      'token-secret': secret,
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
      ...(description === undefined ? {} : { description }),
      ...(ttlMs === 0 ? {} : { expiration: formatTime(Date.now() + ttlMs) }),
    },
  });
  process.stdout.write(`${id}.${secret}\n`);
}

async function listTokens(client: Client): Promise<void> {
  const { items } = await client(secrets).list({ namespace, fieldSelector: 'type=bootstrap.kubernetes.io/token' });
  process.stdout.write(`${'TOKEN'.padEnd(26)}${'EXPIRES'.padEnd(24)}DESCRIPTION\n`);
  for (const { data } of items) {
    const expiration = decode(data, 'expiration');
    const isOver = (findTime(expiration) ?? Number.POSITIVE_INFINITY) < Date.now();
    process.stdout.write(
      `${`${decode(data, 'token-id')}.${decode(data, 'token-secret')}`.padEnd(26)}${(isOver ? 'expired' : expiration || 'never').padEnd(24)}${decode(data, 'description')}\n`,
    );
  }
}

async function deleteToken(client: Client, text: string): Promise<void> {
  const [id = ''] = text.split('.');
  await client(secrets).delete({ namespace, name: secretName(id) });
  process.stdout.write(`bootstrap token "${id}" deleted\n`);
}
