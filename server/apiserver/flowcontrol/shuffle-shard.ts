import { createHash } from 'node:crypto';

/** 64 bits that stand for a flow: requests of one FlowSchema with one distinguisher. */
export function hashFlow(flowSchema: string, distinguisher: string): bigint {
  return createHash('sha256').update(flowSchema).update('\0').update(distinguisher).digest().readBigUInt64LE();
}

/**
 * Deals a hand of different cards from a deck of `deckSize`: which queues a flow may use. Two flows seldom share all of
 * theirs, so that a flow that fills its queues leaves every other at least one (shuffle sharding, KEP-1040).
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
