import type { Clock, Timer } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { FollowedProgram } from './follow-program.ts';
import type { NFT } from './nft.ts';

export interface TableWatchDependencies {
  readonly nft: NFT;
  /** See followProgram. */
  readonly follow: (program: FollowedProgram, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells when somebody else has deleted tables of ours, as `nft flush ruleset` and the restart of a firewall do. */
export interface TableWatch {
  /** Through this all that is ours is written, so that what we delete ourselves is known. */
  readonly nft: NFT;
  /**
   * `table`: family and name. The listener writes it again, if it is to be there. `isOurs` false: others make it as well, and
   * it may be missing; only a deletion that was seen counts.
   */
  onLost(table: string, listener: () => void, options?: { readonly isOurs: boolean }): void;
  run(signal: AbortSignal): Promise<void>;
}

/** A firewall that starts deletes and makes in several steps: they are let pass. */
const settleMs = 200;
/** So long after we have deleted a table a deletion is taken for ours as long as the table is there. */
const ownMs = 1000;
/** Whoever deletes a table again and again is not fought at any price. */
const fight = { withinMs: 60_000, firstMs: 1000, maxMs: 30_000 };

export function createTableWatch({ nft, follow, clock, logger }: TableWatchDependencies): TableWatch {
  const tables = new Map<string, WatchedTable>();
  const own = new OwnDeletions(clock);
  const check = async (table: string, watched: WatchedTable, mayBeUnseen: boolean) => {
    if (mayBeUnseen || own.isRecent(table)) {
      if ((await nft.listTables()).includes(table)) return;
    }
    watched.lost();
    logger.warn('a table of rules was deleted by somebody else, and what is ours in it is written again', { table });
    for (const listener of watched.listeners) listener();
  };
  const suspect = (table: string, mayBeUnseen: boolean) => {
    const watched = tables.get(table);
    if (watched === undefined) return;
    watched.schedule(mayBeUnseen, async (unseen) => {
      try {
        await check(table, watched, unseen);
      } catch (error) {
        logger.warn('the tables of rules cannot be listed', { error });
      }
    });
  };
  return {
    nft: {
      ...nft,
      async apply(commands) {
        const deleted = deletedTables(commands);
        own.begin(deleted);
        try {
          await nft.apply(commands);
        } finally {
          own.end(deleted);
        }
      },
    },
    onLost(table, listener, { isOurs } = { isOurs: true }) {
      const watched = tables.get(table) ?? new WatchedTable(clock, isOurs);
      watched.listeners.push(listener);
      tables.set(table, watched);
    },
    async run(signal) {
      const program: FollowedProgram = {
        command: 'nft',
        args: ['monitor', 'tables'],
        onLine(line) {
          const table = parseDeletion(line);
          if (table !== undefined) suspect(table, false);
        },
        onGap() {
          for (const [table, { isOurs }] of tables) if (isOurs) suspect(table, true);
        },
      };
      await follow(program, signal);
      for (const watched of tables.values()) watched.stop();
    },
  };
}

/** A table that is watched, and when it is looked at next. */
class WatchedTable {
  readonly listeners: (() => void)[] = [];
  readonly isOurs: boolean;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #mayBeUnseen = true;
  #lostMs: number | undefined;
  #pauseMs = 0;

  constructor(clock: Clock, isOurs: boolean) {
    this.#clock = clock;
    this.isOurs = isOurs;
  }

  /** What comes while one look is due is seen by that. A deletion that was seen counts for more than one that was not. */
  schedule(mayBeUnseen: boolean, look: (mayBeUnseen: boolean) => Promise<void>): void {
    this.#mayBeUnseen &&= mayBeUnseen;
    if (this.#timer !== undefined) return;
    const delayMs = Math.max(settleMs, this.#pauseMs);
    this.#timer = this.#clock.setTimer(
      delayMs,
      () => {
        const unseen = this.#mayBeUnseen;
        this.#timer = undefined;
        this.#mayBeUnseen = true;
        void look(unseen);
      },
      { background: true },
    );
  }

  lost(): void {
    const nowMs = this.#clock.monotonicMs();
    const isFight = this.#lostMs !== undefined && nowMs - this.#lostMs < fight.withinMs;
    this.#pauseMs = isFight ? Math.min(fight.maxMs, Math.max(fight.firstMs, this.#pauseMs * 2)) : 0;
    this.#lostMs = nowMs;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** Which tables our own transactions delete now, or have just deleted. */
class OwnDeletions {
  readonly #clock: Clock;
  readonly #running = new Map<string, number>();
  readonly #endedMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(tables: readonly string[]): void {
    for (const table of tables) this.#running.set(table, (this.#running.get(table) ?? 0) + 1);
  }

  end(tables: readonly string[]): void {
    for (const table of tables) {
      this.#running.set(table, (this.#running.get(table) ?? 1) - 1);
      this.#endedMs.set(table, this.#clock.monotonicMs());
    }
  }

  isRecent(table: string): boolean {
    const endedMs = this.#endedMs.get(table);
    return (this.#running.get(table) ?? 0) > 0 || (endedMs !== undefined && this.#clock.monotonicMs() - endedMs < ownMs);
  }
}

/** Of the input of `nft -f`: the tables that it deletes, as `family name`. */
export function deletedTables(commands: string): string[] {
  if (!commands.includes('delete table ')) return [];
  return [...commands.matchAll(/^delete table (\S+ \S+)\s*$/gm)].map((match) => match[1] ?? '');
}

/** Of a line of `nft monitor tables`: the table that was deleted, as `family name`. */
export function parseDeletion(line: string): string | undefined {
  return /^delete table (\S+ \S+)\s*$/.exec(line)?.[1];
}
