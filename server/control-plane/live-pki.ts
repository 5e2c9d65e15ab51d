import { type Clock, sleep } from '../../api/base/clock.ts';
import { createWatchedValue, type WatchedValue } from '../../api/base/watched-value.ts';
import { followFiles } from '../files/follow-files.ts';
import { type ClusterPKI, type ClusterPKIOptions, ensureClusterPKI } from '../pki/ensure-cluster-pki.ts';
import { authorityNames, dueLeaves, planRenewal } from '../pki/renew-certificates.ts';

/** The keys and certificates of a running control plane. */
export interface LivePKI {
  readonly pki: WatchedValue<ClusterPKI>;
  /**
   * Follows changes of the files, which `kubets certs` makes, and renews certificates before they expire, those of the nodes of
   * this data dir among them. Ends with the signal; never rejects.
   */
  run(signal: AbortSignal): Promise<void>;
}

/** Interval of renewals; also the time after which certificates are right again when the clock was not. */
const renewalIntervalMs = 600_000;
const followed = [
  ...authorityNames,
  'apiserver',
  'apiserver-kubelet-client',
  'front-proxy-client',
  'admin',
  'controller-manager',
  'scheduler',
];

export async function createLivePKI(options: ClusterPKIOptions): Promise<LivePKI> {
  const { files, clock, logger } = options;
  const ensure = () => files.exclusively((held) => ensureClusterPKI({ ...options, files: held, clock: atOneMoment(clock) }));
  const pki = createWatchedValue(await ensure());
  const reload = async () => {
    const now = await ensure();
    if (JSON.stringify(now) === JSON.stringify(pki.get())) return;
    logger.info('keys and certificates have changed: they are used from now on');
    pki.set(now);
  };
  const paths = [...followed.flatMap((name) => [`${name}.crt`, `${name}.key`]), 'sa.key', 'sa.pub'];
  return {
    pki,
    async run(signal) {
      const following = followFiles(paths.map(files.pathOf), { clock, logger, what: 'keys and certificates', apply: reload }, signal);
      const renewing = repeat(clock, renewalIntervalMs, signal, async () => {
        try {
          await renewDue(options);
          await reload();
        } catch (error) {
          logger.error('certificates could not be renewed', { error });
        }
      });
      await Promise.all([following, renewing]);
    },
  };
}

/** Renews certificates that nobody else renews: those of nodes on this data dir. */
async function renewDue({ files, random, logger, ...options }: ClusterPKIOptions): Promise<void> {
  const clock = atOneMoment(options.clock);
  if (dueLeaves(await files.readAll(), clock.nowMs()).length === 0) return;
  await files.exclusively(async (held) => {
    const contents = await held.readAll();
    const names = dueLeaves(contents, clock.nowMs());
    await held.commit(await planRenewal(contents, names, { clock, random }));
    logger.info('certificates were renewed before they expire', { names });
  });
}

/** A clock whose date stands still: certificates made together have one date and are checked by it, even if the clock is set meanwhile. */
function atOneMoment(clock: Clock): Clock {
  const nowMs = clock.nowMs();
  return { ...clock, nowMs: () => nowMs };
}

async function repeat(clock: Clock, intervalMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (;;) {
    await sleep(clock, intervalMs, signal).catch(() => undefined); // aborted
    if (signal.aborted) return;
    await work();
  }
}
