import { decodeBase64, encodeBase64 } from '../../../../api/base/base64.ts';
import { type Random, randomInt } from '../../../../api/base/random.ts';

/** First and last port, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export const defaultNodePortRange: PortRange = { first: 30_000, last: 32_767 };

const smallestBand = 16;
const largestBand = 128;
const bandShare = 32;

/** Ports of a range that are taken. */
export class PortSet {
  readonly range: PortRange;
  readonly #taken: Set<number>;

  constructor(range: PortRange, taken: Iterable<number> = []) {
    this.range = range;
    this.#taken = new Set(taken);
  }

  /** Decodes the form of a RangeAllocation: base64 of a big-endian number with a bit for each port, the first port being the lowest bit. */
  static decode(range: PortRange, data: string): PortSet {
    const bytes = decodeBase64(data).reverse();
    const taken: number[] = [];
    for (const [index, byte] of bytes.entries())
      for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) taken.push(range.first + index * 8 + bit);
    return new PortSet(range, taken);
  }

  encode(): string {
    const offsets = [...this.#taken].map((port) => port - this.range.first);
    const bytes = new Uint8Array(Math.ceil((Math.max(-1, ...offsets) + 1) / 8));
    for (const offset of offsets) bytes[offset >> 3] = (bytes[offset >> 3] ?? 0) | (1 << (offset & 7));
    return encodeBase64(bytes.reverse());
  }

  copy(): PortSet {
    return new PortSet(this.range, this.#taken);
  }

  includes(port: number): boolean {
    return port >= this.range.first && port <= this.range.last;
  }

  has(port: number): boolean {
    return this.#taken.has(port);
  }

  all(): number[] {
    return [...this.#taken].sort((a, b) => a - b);
  }

  add(port: number): void {
    this.#taken.add(port);
  }

  delete(port: number): void {
    this.#taken.delete(port);
  }

  /**
   * A free port, at random. Ports of the lower part, which are reserved for requests by number, are used only if there are no others
   * (KEP-3668). undefined if all are taken.
   */
  findFree(random: Random): number | undefined {
    const { first, last } = this.range;
    const middle = first + reservedBand(last - first + 1);
    return this.#findFree(middle, last, random) ?? this.#findFree(first, middle - 1, random);
  }

  #findFree(first: number, last: number, random: Random): number | undefined {
    const count = last - first + 1;
    if (count <= 0) return undefined;
    const start = randomInt(random, count);
    for (let step = 0; step < count; step++) {
      const port = first + ((start + step) % count);
      if (!this.#taken.has(port)) return port;
    }
    return undefined;
  }
}

function reservedBand(size: number): number {
  if (size <= smallestBand) return 0;
  return Math.min(largestBand, Math.max(smallestBand, Math.floor(size / bandShare)));
}
