import type { Clock } from '../../../api/base/clock.ts';

/** A question to be answered. Never rejects. */
type Work = () => Promise<void>;

/** Takes turns between the sources of questions, so that each has its share whatever the others send. */
export interface SourceTurns {
  /** False: too much of this source waits already, and this is not done. */
  take(source: string, work: Work): boolean;
}

interface SourceTurnsDependencies {
  readonly clock: Clock;
  /** Calls back once the rest of the agent had its turn. */
  readonly afterOthers: (run: () => void) => void;
}

/** The most queries that one source may have at a time, those that wait for upstream servers included. */
const maxWaiting = 200;
const maxInWork = 100;
/** After this time the rest of the agent has its turn: kubelet and proxy share its thread. */
const sliceMs = 4;

interface Source {
  readonly waiting: Work[];
  inWork: number;
}

/** Sources are served in rotation, a question each. */
export function createSourceTurns({ clock, afterOthers }: SourceTurnsDependencies): SourceTurns {
  const sources = new Map<string, Source>();
  /** The sources with a question that can be begun, next first. */
  const ready = new Set<string>();
  let usedMs = 0;
  let isResting = false;

  const run = () => {
    while (usedMs < sliceMs) {
      const [name] = ready;
      if (name === undefined) break;
      ready.delete(name);
      const source = sources.get(name);
      const work = source?.waiting.shift();
      if (source === undefined || work === undefined) continue;
      begin(name, source, work);
      if (source.waiting.length > 0 && source.inWork < maxInWork) ready.add(name);
    }
    if (isResting) return;
    isResting = true;
    afterOthers(() => {
      isResting = false;
      usedMs = 0;
      if (ready.size > 0) run();
    });
  };
  const begin = (name: string, source: Source, work: Work) => {
    const startMs = clock.monotonicMs();
    source.inWork++;
    void work().finally(() => {
      source.inWork--;
      if (source.waiting.length > 0) ready.add(name);
      else if (source.inWork === 0) sources.delete(name);
      if (ready.size > 0) run();
    });
    usedMs += clock.monotonicMs() - startMs;
  };

  return {
    take(name, work) {
      const source = sources.get(name) ?? { waiting: [], inWork: 0 };
      if (source.waiting.length >= maxWaiting) return false;
      sources.set(name, source);
      source.waiting.push(work);
      if (source.inWork < maxInWork) ready.add(name);
      run();
      return true;
    },
  };
}
