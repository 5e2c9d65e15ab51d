import { createHash } from 'node:crypto';

/** A 64-bit hash of a flow: a FlowSchema with one distinguisher. */
export function hashFlow(flowSchema: string, distinguisher: string): bigint {
  return createHash('sha256').update(flowSchema).update('\0').update(distinguisher).digest().readBigUInt64LE();
}

/**
 * Deals a hand of different cards from a deck of `deckSize`: the queues that a flow may use. Two flows seldom share all of theirs, so a
 * flow that fills its queues leaves every other flow at least one (shuffle sharding, KEP-1040).
 */
export function dealHand(hash: bigint, deckSize: number, handSize: number): number[] {
  const deck = Array.from({ length: deckSize }, (_, index) => index);
  let rest = hash;
  return Array.from({ length: Math.min(handSize, deckSize) }, (_, dealt) => {
    const left = BigInt(deckSize - dealt);
    const [card = 0] = deck.splice(Number(rest % left), 1);
    rest /= left;
    return card;
  });
}
