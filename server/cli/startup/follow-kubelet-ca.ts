import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { createWatchedValue, type WatchedValue } from '../../../api/base/watched-value.ts';
import { followFiles } from '../../files/follow-files.ts';

export interface FollowedKubeletCA {
  /** PEM. */
  readonly authorities: WatchedValue<string>;
  stop(): void;
}

/**
 * The authorities in the file of --kubelet-certificate-authority. They change while it is followed: a rotation has both in
 * <data-dir>/pki/ca.crt. Throws where the file holds none.
 */
export function followKubeletCA(file: string, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }): FollowedKubeletCA {
  const authorities = createWatchedValue(requireCertificates(readFileSync(file, 'utf8'), file));
  const stopping = new AbortController();
  const known = [Buffer.from(authorities.get())];
  const apply = ([content]: readonly (Uint8Array | undefined)[]) =>
    authorities.set(requireCertificates(Buffer.from(content ?? []).toString(), file));
  void followFiles([path.resolve(file)], { clock, logger, what: 'authorities of kubelets', known, apply }, stopping.signal);
  return { authorities, stop: () => stopping.abort() };
}

function requireCertificates(pem: string, file: string): string {
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error(`--kubelet-certificate-authority: ${file} holds no certificate in PEM`);
  return pem;
}
