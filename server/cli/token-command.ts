import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { systemClock } from '../../api/base/system-clock.ts';
import type { Client } from '../../api/client/client.ts';
import { createClient } from '../../api/client/create-client.ts';
import { formatTime, findTime } from '../../api/meta/time.ts';
import { hasReason } from '../../api/meta/status.ts';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { secrets } from '../../api/resources/core/v1/secret.ts';
import { getInstance } from './data-dir/data-dir.ts';
import { publicKeyHashes } from './join/discovery.ts';
import { type Credentials, parseKubeconfig, serverOf } from './data-dir/kubeconfig.ts';
import { dataDirOption } from './flags/options.ts';
import { parseDuration } from './flags/parse-flags.ts';

const namespace = 'kube-system';
const secretName = (id: string) => `bootstrap-token-${id}`;
const decode = (data: Readonly<Record<string, string>> | undefined, field: string) => Buffer.from(data?.[field] ?? '', 'base64').toString();

const clusterInfo = { namespace: 'kube-public', name: 'cluster-info' };
/** How long to wait until the cluster's information is signed with a new token. */
const signedWithinMs = 5000;

interface CreateFlags {
  /** Milliseconds; 0: for ever. */
  readonly ttl: number;
  readonly description?: string;
  readonly printJoinCommand?: boolean;
  readonly dataDir: string;
}

/** Bootstrap tokens (the Secrets that upstream's `kubeadm token` makes). */
export function addTokenCommand(program: Command): void {
  const token = program.command('token').description('Bootstrap tokens: what new nodes and tools authenticate with.');
  token
    .command('create')
    .description('Make a token and print it.')
    .addOption(new Option('--ttl <duration>', 'how long it is good for; 0 for ever').default(86_400_000, '24h').argParser(parseDuration))
    .option('--description <text>', 'what it is for')
    .option('--print-join-command', "print the whole 'kubets agent' command that makes a machine a node")
    .addOption(dataDirOption())
    .action((flags: CreateFlags) => withClient(flags.dataDir, (client, credentials) => createToken(client, flags, credentials)));
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

async function withClient(dataDir: string, work: (client: Client, credentials: Credentials) => Promise<void>): Promise<void> {
  const credentials = parseKubeconfig(readFileSync(getInstance(dataDir).kubeconfig, 'utf8'));
  // Loaded only here, because a control plane does not call its own port.
  const { createHTTPTransport } = await import('../../api/client/http-transport.ts');
  const http = createHTTPTransport({ ...credentials, clock: systemClock });
  try {
    await work(createClient(http.transport, { userAgent: 'kubets' }), credentials);
  } finally {
    http.close();
  }
}

async function createToken(
  client: Client,
  { ttl: ttlMs, description, printJoinCommand = false }: CreateFlags,
  { ca }: Credentials,
): Promise<void> {
  const text = (length: number) => Array.from(randomBytes(length), (byte) => '0123456789abcdefghijklmnopqrstuv'[byte & 31]).join('');
  const [id, secret] = [text(6), text(16)];
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
  const token = `${id}.${secret}`;
  const server = await serverSignedWith(client, id);
  process.stdout.write(printJoinCommand ? `kubets agent --server ${server} --token ${token} ${caHashes(ca)}\n` : `${token}\n`);
}

/** While authorities are rotated, of both: the command is good before and after. */
function caHashes(ca: string): string {
  return publicKeyHashes(ca)
    .map((hash) => `--ca-hash ${hash}`)
    .join(' ');
}

/** Waits until the API server has signed cluster-info with the token, which a joining machine reads. Returns the server's address. */
async function serverSignedWith(client: Client, id: string): Promise<string> {
  const deadlineMs = performance.now() + signedWithinMs;
  for (;;) {
    const { data } = await client(configMaps).get(clusterInfo);
    if (data?.[`jws-kubeconfig-${id}`] !== undefined) return serverOf(data['kubeconfig'] ?? '');
    if (performance.now() > deadlineMs)
      throw new Error(
        `token "${id}" is made, but nothing signs ConfigMap kube-public/cluster-info with it: does bootstrap-signer-controller run?`,
      );
    await delay(50);
  }
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
  try {
    await client(secrets).delete({ namespace, name: secretName(id) });
  } catch (error) {
    if (hasReason(error, 'NotFound')) throw new Error(`there is no bootstrap token "${id}"; see kubets token list`, { cause: error });
    throw error;
  }
  process.stdout.write(`bootstrap token "${id}" deleted\n`);
}
