import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import { findGoodPair, formatPair, renewalMs } from './certificate-life.ts';
import { type CertificateWish, type IssuedCertificate, requestCertificate } from './request-certificate.ts';

export interface RotatingCertificateDependencies {
  /** With whose rights certificates are asked for. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly files: HostFiles;
  /** Where the current one is kept, with its key. */
  readonly file: string;
  readonly wish: CertificateWish;
}

const retryMs = 10_000;
/** Between two certificates. */
const shortestMs = 60_000;

export function readCertificate({ files, file, clock }: Pick<RotatingCertificateDependencies, 'files' | 'file' | 'clock'>) {
  return files.findText(file).then((text) => findGoodPair(text, clock.nowMs()));
}

/** Asks for one and keeps it. */
export async function obtainCertificate(dependencies: RotatingCertificateDependencies, signal: AbortSignal): Promise<IssuedCertificate> {
  const { files, file, wish, logger } = dependencies;
  const issued = await requestCertificate(wish, dependencies, signal);
  await files.write(file, formatPair(issued), { mode: 0o600 });
  logger.info('a new certificate', { signer: wish.signerName, file });
  return issued;
}

/** Replaces a certificate before it ends, for ever; `current` absent: asks for the first at once. */
export async function rotateCertificate(
  dependencies: RotatingCertificateDependencies,
  current: IssuedCertificate | undefined,
  onNew: (issued: IssuedCertificate) => void,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, logger } = dependencies;
  let dueMs = current === undefined ? 0 : renewalMs(current, random);
  while (!signal.aborted) {
    try {
      // Timers take 24 days at most.
      while (dueMs > clock.nowMs()) await sleep(clock, Math.min(dueMs - clock.nowMs(), 86_400_000), signal);
      const issued = await obtainCertificate(dependencies, signal);
      // Later at any rate: by a clock that is far ahead, every new certificate has almost ended.
      dueMs = Math.max(renewalMs(issued, random), clock.nowMs() + shortestMs);
      onNew(issued);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn('no new certificate yet', { signer: dependencies.wish.signerName, error });
      await sleep(clock, retryMs, signal).catch(() => undefined); // aborted
    }
  }
}
