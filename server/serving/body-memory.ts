/** Memory for the bodies of all requests together. */
export interface BodyMemory {
  /** Begins a body of that user. */
  open(user: string): BodyShare;
}

/** One body's share of the memory. */
interface BodyShare {
  /** Takes so many more bytes; false if there is no room for them, or if the share was given back. */
  take(bytes: number): boolean;
  /** Gives everything back. May be called again. */
  release(): void;
}

export interface BodyMemoryLimits {
  /** The most bytes of all bodies together, beyond each body's free part. */
  readonly totalBytes: number;
  /** The most bytes of all bodies of one user. */
  readonly userBytes: number;
  /** The first bytes of each body, which are not counted: small bodies are read whatever others do. The number of requests under way bounds them. */
  readonly freeBytes: number;
}

const defaultBodyMemory: BodyMemoryLimits = { totalBytes: 128 * 1024 * 1024, userBytes: 32 * 1024 * 1024, freeBytes: 32 * 1024 };

export function createBodyMemory({ totalBytes, userBytes, freeBytes }: BodyMemoryLimits = defaultBodyMemory): BodyMemory {
  const byUser = new Map<string, number>();
  let total = 0;
  return {
    open(user) {
      let size = 0;
      let taken = 0;
      let isOver = false;
      return {
        take(bytes) {
          if (isOver) return false;
          size += bytes;
          const more = Math.max(0, size - freeBytes) - taken;
          if (more <= 0) return true;
          const own = (byUser.get(user) ?? 0) + more;
          if (total + more > totalBytes || own > userBytes) return false;
          total += more;
          taken += more;
          byUser.set(user, own);
          return true;
        },
        release() {
          isOver = true;
          const left = (byUser.get(user) ?? 0) - taken;
          if (left > 0) byUser.set(user, left);
          else byUser.delete(user);
          total -= taken;
          taken = 0;
        },
      };
    },
  };
}
