import type { Clock, Timer } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { FollowedProgram } from '../processes/follow-program.ts';
import type { NFT } from './nft.ts';

interface TableWatchDependencies {
  readonly nft: NFT;
  /** See followProgram. */
  readonly follow: (program: FollowedProgram, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Reports when another program has deleted our tables, as `nft flush ruleset` and the restart of a firewall do. */
export interface TableWatch {
  /** All rules of ours are written through this, so that our own deletions are known. */
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
/** The time for which the kernel may report a deletion of our own: the program that reports may get no processor for a while. */
const ownMs = 60_000;
/** Pauses before a table that is deleted again and again is restored: growing, so that two programs do not fight without end. */
const fight = { withinMs: 60_000, firstMs: 1000, maxMs: 30_000 };

export function createTableWatch({ nft, follow, clock, logger }: TableWatchDependencies): TableWatch {
  const tables = new Map<string, WatchedTable>();
  const own = new OwnTables(clock);
  const check = async (table: string, watched: WatchedTable, mayBeUnseen: boolean) => {
    if (watched.isOurs && !own.isWanted(table)) return;
    if (mayBeUnseen && (await nft.listTables()).includes(table)) return;
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
        const fates = tableFates(commands);
        own.begin(fates);
        try {
          await nft.apply(commands);
        } catch (error) {
          own.failed(fates);
          throw error;
        }
        own.written(fates);
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
          if (table !== undefined) suspect(table, own.accountsFor(table));
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

  /** Changes before a check that is due are seen by that check. A deletion that was seen counts for more than one that may be unseen. */
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

/** The tables that our own transactions have made, and the number of our deletions that the kernel has not reported yet. */
class OwnTables {
  readonly #clock: Clock;
  readonly #wanted = new Set<string>();
  readonly #untold = new Map<string, { count: number; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(fates: TableFates): void {
    for (const [table, { deletions }] of fates) this.#expect(table, deletions);
  }

  failed(fates: TableFates): void {
    for (const [table, { deletions }] of fates) this.#expect(table, -deletions);
  }

  written(fates: TableFates): void {
    for (const [table, { isLeft }] of fates) {
      if (isLeft) this.#wanted.add(table);
      else this.#wanted.delete(table);
      this.#expect(table, 0);
    }
  }

  /** Whether the table should exist after our own writes. */
  isWanted(table: string): boolean {
    return this.#wanted.has(table);
  }

  /** Whether a deletion that the kernel reports is one of ours; each counts once. */
  accountsFor(table: string): boolean {
    const untold = this.#untold.get(table);
    if (untold === undefined || untold.count <= 0 || this.#clock.monotonicMs() - untold.atMs > ownMs) return false;
    untold.count--;
    return true;
  }

  #expect(table: string, deletions: number): void {
    const atMs = this.#clock.monotonicMs();
    const before = this.#untold.get(table);
    const isOld = before === undefined || atMs - before.atMs > ownMs;
    this.#untold.set(table, { count: Math.max(0, (isOld ? 0 : before.count) + deletions), atMs });
  }
}

/** The changes of a transaction to tables, by family and name. */
type TableFates = ReadonlyMap<string, { readonly deletions: number; readonly isLeft: boolean }>;

/** The changes of tables by the input of `nft -f`. */
export function tableFates(commands: string): TableFates {
  const fates = new Map<string, { readonly deletions: number; readonly isLeft: boolean }>();
  for (const match of commands.matchAll(/^(add |delete |)table (\S+ \S+?)(?: \{.*)?$/gm)) {
    const [, verb, table = ''] = match;
    const isDeleted = verb === 'delete ';
    fates.set(table, { deletions: (fates.get(table)?.deletions ?? 0) + (isDeleted ? 1 : 0), isLeft: !isDeleted });
  }
  return fates;
}

/** The table that a line of `nft monitor tables` reports as deleted, as `family name`. */
export function parseDeletion(line: string): string | undefined {
  return /^delete table (\S+ \S+)\s*$/.exec(line)?.[1];
}
