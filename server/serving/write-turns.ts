import type { Clock, Timer } from '../../api/base/clock.ts';

/** Bytes of all large answers together that are handed to connections and not yet taken by their clients' machines. */
const maxUnderWayBytes = 1024 * 1024;
/** Clients that have received less than this come before those with larger answers. */
const firstBytes = 8 * 1024 * 1024;
/** A client that takes longer for a piece is slow: others do not wait for it, nor it for them. */
const slowMs = 200;
/** Unless no client has taken anything meanwhile: then the machine is slow, or every client is. */
const slowTogetherMs = 1000;

/**
 * In which order large answers are written. A thousand that are all sent a little at a time all end at the end, and their
 * clients run out of patience together; here whoever began first goes on first, so that some are through early. Those that
 * want little do not wait for those that want much, and nobody waits for a client that does not read.
 */
export interface WriteTurns {
  enter(): WritePlace;
}

/** The place of an answer in the order. */
export interface WritePlace {
  /** Whether its client let the server wait for the last piece. */
  readonly isSlow: boolean;
  /** Resolves when a piece of so many bytes may be written; undefined if it may be written now. Call `taken` or `leave` afterwards. */
  next(bytes: number): Promise<void> | undefined;
  /** The client's machine has taken the piece. */
  taken(): void;
  /** Begins anew: the next bytes are another answer, such as the next event of a watch. */
  rest(): void;
  /** Gives up its turn, or the wait for it. */
  leave(): void;
}

interface Place {
  readonly order: number;
  had: number;
  /** Bytes of the piece that counts against the limit; 0 if none does. */
  underWay: number;
  isSlow: boolean;
  begunMs: number;
  slowTimer: Timer | undefined;
  waiting: { readonly bytes: number; readonly resolve: () => void } | undefined;
}

export function createWriteTurns(clock: Clock): WriteTurns {
  let entered = 0;
  let underWay = 0;
  let lastTakenMs = 0;
  // Both in the order in which they began.
  const newcomers: Place[] = [];
  const others: Place[] = [];

  const lineOf = (place: Place): Place[] => (place.had < firstBytes ? newcomers : others);
  const begin = (place: Place, bytes: number) => {
    place.had += bytes;
    place.begunMs = clock.monotonicMs();
    if (place.isSlow) return;
    place.underWay = bytes;
    underWay += bytes;
    place.slowTimer = clock.setTimer(slowMs, () => judge(place), { background: true });
  };
  const end = (place: Place) => {
    place.slowTimer?.cancel();
    place.slowTimer = undefined;
    underWay -= place.underWay;
    place.underWay = 0;
  };
  const admit = () => {
    for (let line = newcomers[0] ? newcomers : others; line[0]; line = newcomers[0] ? newcomers : others) {
      const [place] = line;
      const { waiting } = place;
      if (!waiting || underWay + waiting.bytes > maxUnderWayBytes) return;
      line.shift();
      place.waiting = undefined;
      begin(place, waiting.bytes);
      waiting.resolve();
    }
  };
  const judge = (place: Place) => {
    const areAllSlow = lastTakenMs <= place.begunMs && clock.monotonicMs() - place.begunMs < slowTogetherMs;
    if (areAllSlow) {
      place.slowTimer = clock.setTimer(slowMs, () => judge(place), { background: true });
      return;
    }
    place.isSlow = true;
    end(place);
    admit();
  };
  const wait = (place: Place, bytes: number) =>
    new Promise<void>((resolve) => {
      place.waiting = { bytes, resolve };
      const line = lineOf(place);
      const at = line.findIndex(({ order }) => order > place.order);
      line.splice(at < 0 ? line.length : at, 0, place);
    });

  return {
    enter() {
      const place: Place = { order: entered++, had: 0, underWay: 0, isSlow: false, begunMs: 0, slowTimer: undefined, waiting: undefined };
      return {
        get isSlow() {
          return place.isSlow;
        },
        next(bytes) {
          const isFree = newcomers.length === 0 && (others.length === 0 || place.had < firstBytes);
          if (place.isSlow || (isFree && underWay + bytes <= maxUnderWayBytes)) return void begin(place, bytes);
          const turn = wait(place, bytes);
          admit();
          return turn;
        },
        taken() {
          lastTakenMs = clock.monotonicMs();
          place.isSlow &&= lastTakenMs - place.begunMs >= slowMs;
          end(place);
          admit();
        },
        rest: () => void (place.had = 0),
        leave() {
          for (const line of [newcomers, others]) {
            const at = line.indexOf(place);
            if (at >= 0) line.splice(at, 1);
          }
          place.waiting?.resolve();
          place.waiting = undefined;
          end(place);
          admit();
        },
      };
    },
  };
}
