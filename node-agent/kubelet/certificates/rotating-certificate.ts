import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { WatchedValue } from '../../../api/base/watched-value.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import { findGoodPair, formatPair, renewalMs } from './certificate-life.ts';
import { isOfOlderAuthority } from './authorities.ts';
import { type CertificateWish, type IssuedCertificate, requestCertificate } from './request-certificate.ts';

export interface RotatingCertificateDependencies {
  /** With whose rights certificates are asked for. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly files: HostFiles;
  /** The file that holds the current certificate with its key. */
  readonly file: string;
  readonly wish: CertificateWish;
  /**
   * The authorities in PEM; the first one signs. A certificate by another one is replaced. Absent: certificates of all authorities are
   * kept.
   */
  readonly authorities?: WatchedValue<string>;
}

const retryMs = 10_000;
/** In which all nodes ask for certificates of a new authority. */
const spreadMs = 3000;
/** Between two certificates. */
const shortestMs = 60_000;

export function readCertificate({ files, file, clock }: Pick<RotatingCertificateDependencies, 'files' | 'file' | 'clock'>) {
  return files.findText(file).then((text) => findGoodPair(text, clock.nowMs()));
}

/** Requests a certificate and stores it. */
export async function obtainCertificate(dependencies: RotatingCertificateDependencies, signal: AbortSignal): Promise<IssuedCertificate> {
  const { files, file, wish, logger } = dependencies;
  const issued = await requestCertificate(wish, dependencies, signal);
  await files.write(file, formatPair(issued), { mode: 0o600 });
  logger.info('a new certificate', { signer: wish.signerName, file });
  return issued;
}

/** Replaces a certificate before it ends or its authority is replaced, for ever; `current` absent: asks for the first at once. */
export async function rotateCertificate(
  dependencies: RotatingCertificateDependencies,
  current: IssuedCertificate | undefined,
  onNew: (issued: IssuedCertificate) => void,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, logger, authorities } = dependencies;
  let last = current;
  let dueMs = current === undefined ? 0 : renewalMs(current, random);
  let wake = new AbortController();
  authorities?.onChange(() => wake.abort());
  const isOutdated = () => last !== undefined && authorities !== undefined && isOfOlderAuthority(last.certificate, authorities.get());
  while (!signal.aborted) {
    try {
      while (dueMs > clock.nowMs() && !isOutdated()) {
        // Timers take 24 days at most.
        const untilWoken = AbortSignal.any([signal, wake.signal]);
        await sleep(clock, Math.min(dueMs - clock.nowMs(), 86_400_000), untilWoken).catch((error: unknown) => {
          if (signal.aborted) throw error;
        });
        wake = new AbortController();
      }
      // Not all nodes at the same moment.
      if (isOutdated()) await sleep(clock, random.next() * spreadMs, signal);
      const issued = await obtainCertificate(dependencies, signal);
      last = issued;
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
