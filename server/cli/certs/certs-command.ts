import { createHash, createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { findTime } from '../../../api/meta/time.ts';
import { createPKIFiles } from '../../control-plane/pki-files.ts';
import { splitPublicKeys } from '../../pki/pem-bundle.ts';
import type { PKIContents } from '../../pki/pki-files.ts';
import { type AuthorityName, leafNames, planRenewal } from '../../pki/renew-certificates.ts';
import { findRotation, fingerprintOf, parseAuthorities, RotationError } from '../../pki/rotate-authorities.ts';
import { findKeyRotation, planKeyDrop, planKeyRotation } from '../../pki/rotate-service-account-key.ts';
import { lockDirectory } from '../../storage/embedded/directory-lock.ts';
import { type DataDir, findInstance, type Instance, openDataDir } from '../data-dir/data-dir.ts';
import { dataDirOption } from '../flags/options.ts';
import { parseDuration } from '../flags/parse-flags.ts';
import { createProgress } from '../terminal/progress.ts';
import { syncKubeconfigs } from './certs-kubeconfigs.ts';
import { advanceRotation, finishRotation, rollBackRotation, type RotationParts } from './drive-rotation.ts';
import { describeRotation, formatCertificates, problemsOf } from './format-certificates.ts';
import { gatherCertificates } from './gather-certificates.ts';
import { describeNodes, findOldTokens, servedCertificate, servesOwnCertificate } from './running-cluster.ts';
import * as help from './help.ts';

const making = { clock: systemClock, random: systemRandom };

export function addCertsCommand(program: Command): void {
  const certs = program
    .command('certs')
    .description('Check, renew and rotate the keys and certificates of a cluster.')
    .addHelpText('after', help.certs);
  certs
    .command('check')
    .description('Show every certificate and key of a data dir, when it expires, and what is wrong.')
    .addOption(dataDirOption())
    .addOption(new Option('-o, --output <format>', 'for programs').choices(['json']))
    .addOption(new Option('--threshold-days <days>', 'a certificate that ends sooner is a problem').default(30).argParser(parseDays))
    .addHelpText('after', help.check)
    .action(check);
  certs
    .command('renew')
    .description('Make certificates anew, by the same authority and for the same names, without a restart.')
    .argument('<name...>', 'names as `kubets certs check` shows them, or all')
    .addOption(dataDirOption())
    .addHelpText('after', help.renew)
    .action(renew);
  certs
    .command('rotate-ca')
    .description('Replace the authorities of the cluster, without a restart. Both are trusted in between.')
    .addOption(dataDirOption())
    .addOption(
      new Option('--authority <name>', 'ca, front-proxy-ca or all').default(parseAuthorities('all'), 'all').argParser(parseAuthority),
    )
    .addOption(
      new Option('--drop-after <duration>', 'the running control plane drops the old authority then, if nothing uses it').argParser(
        parseDuration,
      ),
    )
    .option('--finish', 'drop the old authority, after the other steps')
    .addOption(new Option('--rollback', 'go back: the old authority signs, as before').conflicts(['finish', 'status']))
    .addOption(new Option('--status', 'show how far the rotation is, and go no step').conflicts(['finish', 'rollback']))
    .option('--force', 'go on although something would be locked out')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the cluster before each step')
        .default(120_000, '2m')
        .argParser(parseDuration),
    )
    .addHelpText('after', help.rotateCA)
    .action(rotateCA);
  certs
    .command('rotate-service-account-key')
    .description('Replace the key that signs tokens of service accounts. Tokens of the old one stay good until --finish.')
    .addOption(dataDirOption())
    .option('--finish', 'do not believe tokens of the old key any more')
    .option('--force', 'with --finish: although tokens of it are in use')
    .addHelpText('after', help.rotateKey)
    .action(rotateKey);
}

interface CheckFlags {
  readonly dataDir: string;
  readonly output?: 'json';
  readonly thresholdDays: number;
}

async function check({ dataDir, output, thresholdDays }: CheckFlags): Promise<void> {
  const report = await gatherCertificates(openExisting(dataDir), { nowMs: systemClock.nowMs(), thresholdDays });
  if (report.certificates.length + report.authorities.length === 0)
    throw new Error(`${report.dataDirectory} holds no certificates: no cluster was started here yet, and none was joined`);
  const problems = problemsOf(report);
  process.stdout.write(output === 'json' ? `${JSON.stringify({ ...report, problems }, undefined, 2)}\n` : formatCertificates(report));
  process.exitCode = problems.length === 0 ? 0 : 1;
}

async function renew(names: readonly string[], { dataDir: directory }: { readonly dataDir: string }): Promise<void> {
  const dataDir = openExisting(directory);
  const progress = createProgress();
  const contents = await createPKIFiles(dataDir.pki).exclusively(async (files) => {
    const before = await files.readAll();
    const wanted = names.includes('all') ? leafNames(before) : [...new Set(names)];
    if (wanted.length === 0) throw new Error(`${dataDir.pki} holds no certificates`);
    await files.commit(await planRenewal(before, wanted, making));
    progress.done(`renewed ${wanted.join(', ')}`);
    return await files.readAll();
  });
  for (const file of syncKubeconfigs(dataDir, contents)) progress.note(`${file} is written anew`);
  const instance = findInstance(dataDir.path);
  if (instance === undefined) return progress.note('nothing runs on this data dir: the next start uses them');
  if (!(await servesOwnCertificate(instance, contents)))
    return progress.note('the API server serves with the certificate of --tls-cert-file, which is renewed where it comes from');
  await untilServed(instance, contents);
  progress.done('the API server serves with its certificate of now; nodes follow within seconds');
}

const servedWithinMs = 30_000;

async function untilServed(instance: Instance, contents: PKIContents): Promise<void> {
  const wanted = fingerprintOf(contents.get('apiserver.crt') ?? '');
  const deadlineMs = performance.now() + servedWithinMs;
  for (;;) {
    const served = await servedCertificate(instance).catch(() => undefined); // asked again
    if (served !== undefined && fingerprintOf(served.toString()) === wanted) return;
    if (performance.now() > deadlineMs) throw new Error('the running API server has not taken over the new certificate: see its log');
    await delay(100);
  }
}

interface RotateFlags {
  readonly dataDir: string;
  readonly authority: readonly AuthorityName[];
  readonly dropAfter?: number;
  readonly finish?: boolean;
  readonly rollback?: boolean;
  readonly status?: boolean;
  readonly force?: boolean;
  readonly timeout: number;
}

async function rotateCA(flags: RotateFlags): Promise<void> {
  const dataDir = openExisting(flags.dataDir);
  const files = createPKIFiles(dataDir.pki);
  const instance = findInstance(dataDir.path);
  if (flags.status) return await showRotation(await files.readAll(), instance);
  if (!existsSync(path.join(dataDir.pki, 'ca.key')))
    throw new Error(`${dataDir.pki} holds no authority: authorities are rotated where the control plane is`);
  const progress = createProgress();
  const parts: RotationParts = { dataDir, files, instance, progress, timeoutMs: flags.timeout, force: flags.force ?? false };
  await alone(dataDir, async () => {
    if (flags.rollback) return await rollBackRotation(parts);
    if (flags.finish && findRotation(await files.readAll()) === undefined)
      throw new RotationError("no rotation is under way: 'kubets certs rotate-ca' begins one");
    // Without a control plane the steps before cannot be taken, and may have been.
    if (!(flags.finish && flags.force && instance === undefined))
      await advanceRotation(parts, {
        authorities: flags.authority,
        ...(flags.dropAfter === undefined ? {} : { dropAfterMs: flags.dropAfter }),
      });
    if (flags.finish) return await finishRotation(parts);
    const rotation = findRotation(await files.readAll());
    if (rotation) progress.note(describeRotation(rotation));
  });
}

async function showRotation(contents: PKIContents, instance: Instance | undefined): Promise<void> {
  const rotation = findRotation(contents);
  process.stdout.write(`${rotation ? describeRotation(rotation) : 'no rotation is under way'}\n`);
  if (rotation === undefined || instance === undefined) return;
  for (const line of await describeNodes(instance, contents)) process.stdout.write(`${line}\n`);
}

/** Pods have their tokens renewed within an hour. */
const tokenLifeMs = 67 * 60_000;

async function rotateKey({ dataDir: directory, finish, force }: { dataDir: string; finish?: boolean; force?: boolean }): Promise<void> {
  const dataDir = openExisting(directory);
  const files = createPKIFiles(dataDir.pki);
  const progress = createProgress();
  await alone(dataDir, async () => {
    if (!finish) {
      await files.exclusively(async (held) => held.commit(await planKeyRotation(await held.readAll(), making)));
      progress.done('a new key signs tokens of service accounts; those of the old key stay good');
      progress.note("when Pods have tokens of the new one (within about an hour): 'kubets certs rotate-service-account-key --finish'");
      return;
    }
    if (!force) await requireUnused(await files.readAll(), findInstance(dataDir.path));
    await files.exclusively(async (held) => held.commit(planKeyDrop(await held.readAll())));
    progress.done('tokens of the old key are not believed any more');
  });
}

async function requireUnused(contents: PKIContents, instance: Instance | undefined): Promise<void> {
  const sinceMs = findTime(findKeyRotation(contents)?.since);
  if (sinceMs === undefined) planKeyDrop(contents); // says what is wrong
  const leftMs = (sinceMs ?? 0) + tokenLifeMs - systemClock.nowMs();
  if (leftMs > 0)
    throw new RotationError(
      `the new key signs since ${findKeyRotation(contents)?.since}: Pods may have tokens of the old one for ${Math.ceil(leftMs / 60_000)} minutes more. Try again then, or use --force`,
    );
  if (instance === undefined)
    throw new RotationError('no control plane runs, so that nobody knows which tokens are in use. Start it, or use --force');
  const [own = ''] = splitPublicKeys(contents.get('sa.pub') ?? '');
  const id = createHash('sha256')
    .update(createPublicKey(own).export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  const old = await findOldTokens(instance, id);
  if (old.length > 0)
    throw new RotationError(
      [
        'tokens of the old key would be void:',
        ...old.slice(0, 10).map((text) => `  ${text}`),
        'Have them made anew (remove the token from the Secret), or use --force',
      ].join('\n'),
    );
}

/** Two commands at once would wait for each other's steps. */
async function alone(dataDir: DataDir, work: () => Promise<void>): Promise<void> {
  const directory = path.join(dataDir.pki, '.rotating');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let lock: Awaited<ReturnType<typeof lockDirectory>>;
  try {
    lock = await lockDirectory(directory, process.pid);
  } catch (error) {
    throw new Error(`another 'kubets certs' command is rotating keys of this data dir: ${(error as Error).message}`, { cause: error });
  }
  try {
    await work();
  } finally {
    lock.release();
  }
}

function openExisting(directory: string): DataDir {
  if (!existsSync(directory))
    throw new Error(`${path.resolve(directory)} does not exist: no cluster was started here yet, or it has another --data-dir`);
  return openDataDir(directory);
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!Number.isFinite(days) || days < 0) throw new InvalidArgumentError('it is a number of days.');
  return days;
}

function parseAuthority(text: string): readonly AuthorityName[] {
  try {
    return parseAuthorities(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
