import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { PKIChange, PKIContents, PKIFiles } from '../../pki/pki-files.ts';
import type { AuthorityName } from '../../pki/renew-certificates.ts';
import { findRotation, planFinish, planIssue, planRollback, planStart, RotationError } from '../../pki/rotate-authorities.ts';
import type { DataDir, Instance } from '../data-dir/data-dir.ts';
import type { Progress } from '../terminal/progress.ts';
import { syncKubeconfigs } from './certs-kubeconfigs.ts';
import { findObstacles } from './running-cluster.ts';

export interface RotationParts {
  readonly dataDir: DataDir;
  readonly files: PKIFiles;
  /** The control plane; absent: it does not run. */
  readonly instance: Instance | undefined;
  readonly progress: Pick<Progress, 'done' | 'note'>;
  /** How long to wait for the cluster before each step. */
  readonly timeoutMs: number;
  /** Whether to go on where something would be locked out. */
  readonly force: boolean;
}

const making = { clock: systemClock, random: systemRandom };

/** Begins or continues a rotation, up to the point where only the old authority remains to be dropped. */
export async function advanceRotation(
  parts: RotationParts,
  start: { readonly authorities: readonly AuthorityName[]; readonly dropAfterMs?: number },
): Promise<void> {
  const { files, progress } = parts;
  requireRunning(parts);
  if (findRotation(await files.readAll()) === undefined) {
    await takeStep(parts, (contents) => planStart(contents, start, making));
    progress.done(`made new authorities (${start.authorities.join(', ')}); both are trusted`);
  }
  if (findRotation(await files.readAll())?.phase === 'trusting') {
    await untilClear(parts, 'the new authority is trusted by the API server, all namespaces and all nodes');
    await takeStep(parts, (contents) => planIssue(contents, making));
    progress.done('the new authority signs; all certificates of the control plane are made anew by it');
  }
  await untilClear(parts, 'all nodes use certificates of the new authority');
}

/** Drops the old authority. */
export async function finishRotation(parts: RotationParts): Promise<void> {
  const { force, instance, files, progress } = parts;
  planFinish(await files.readAll()); // says what is wrong, before anything is waited for
  if (!force) requireRunning(parts);
  if (instance !== undefined) await untilClear(parts, 'nothing that the cluster knows of uses the old authority');
  await takeStep(parts, planFinish);
  progress.done('the old authority is not trusted any more; certificates, kubeconfigs and join commands of it are void');
}

export async function rollBackRotation(parts: RotationParts): Promise<void> {
  await takeStep(parts, (contents) => planRollback(contents, making));
  const isUnderWay = findRotation(await parts.files.readAll()) !== undefined;
  parts.progress.done(
    isUnderWay
      ? "the old authority signs again, the new one is still trusted; when nodes have followed, 'kubets certs rotate-ca --finish' drops the new one"
      : 'the new authority is forgotten, nothing has changed',
  );
}

/** Takes one step while no other process changes the files, and updates the kubeconfigs. */
async function takeStep(
  { files, dataDir, progress }: RotationParts,
  plan: (contents: PKIContents) => readonly PKIChange[] | Promise<readonly PKIChange[]>,
): Promise<void> {
  const contents = await files.exclusively(async (held) => {
    await held.commit(await plan(await held.readAll()));
    return await held.readAll();
  });
  for (const file of syncKubeconfigs(dataDir, contents)) progress.note(`${file} is written anew`);
}

function requireRunning({ instance, dataDir }: RotationParts): void {
  if (instance === undefined)
    throw new RotationError(
      `no control plane runs on ${dataDir.path}: nodes learn of authorities from it. Start it, or see 'kubets certs rotate-ca --help' about --force`,
    );
}

/** Waits until the next step locks no node out. */
async function untilClear(parts: RotationParts, what: string): Promise<void> {
  const { instance, files, timeoutMs, force, progress } = parts;
  if (instance === undefined) return;
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const obstacles = await lookForObstacles(instance, files);
    if (obstacles.length === 0) return progress.done(what);
    const isOver = performance.now() > deadlineMs;
    if (isOver && !force) throw new RotationError(explain(obstacles));
    if (isOver) {
      for (const obstacle of obstacles.slice(0, 10)) progress.note(`passed over: ${obstacle}`);
      return;
    }
    await delay(300);
  }
}

/** The obstacles, and an API server that cannot be asked: it may be taking its new certificate right now. */
async function lookForObstacles(instance: Instance, files: PKIFiles): Promise<string[]> {
  try {
    return await findObstacles(instance, await files.readAll());
  } catch (error) {
    return [`the API server cannot be asked: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function explain(obstacles: readonly string[]): string {
  const more = obstacles.length > 10 ? [`and ${obstacles.length - 10} more`] : [];
  return [
    'the rotation does not go on, because this would be locked out:',
    ...[...obstacles.slice(0, 10), ...more].map((text) => `  ${text}`),
    'Nothing is lost: the same command goes on when that is mended, --rollback goes back, --force goes on without it.',
  ].join('\n');
}
