import { getOwn, isJSONObject } from '../base/json-object.ts';

/** The identity of an element of a merged list: a field of the element, or the element itself. */
type Identify = (element: unknown) => unknown;

/** By the merge key; undefined: primitive elements. */
export function identifyBy(mergeKey: string | undefined): Identify {
  if (mergeKey === undefined) return (element) => element;
  return (element) => (isJSONObject(element) ? getOwn(element, mergeKey) : undefined);
}

/**
 * Orders a merged list: elements named by the patch in the order `patchOrder`, the others in the order of the live list, the
 * two interleaved as the live list had them as far as that can be.
 */
export function orderElements(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  liveOrder: readonly unknown[],
  identify: Identify,
): unknown[] {
  const patchPlace = placesOf(patchOrder, identify);
  const livePlace = placesOf(liveOrder, identify);
  const named = merged.filter((element) => patchPlace.has(identify(element)));
  const others = merged.filter((element) => !patchPlace.has(identify(element)));
  sortByPlace(named, patchPlace, identify);
  sortByPlace(others, livePlace, identify);
  return interleave(others, named, livePlace, identify);
}

function placesOf(elements: readonly unknown[], identify: Identify): ReadonlyMap<unknown, number> {
  const places = new Map<unknown, number>();
  for (const [place, element] of elements.entries()) {
    const identity = identify(element);
    if (!places.has(identity)) places.set(identity, place);
  }
  return places;
}

function sortByPlace(elements: unknown[], places: ReadonlyMap<unknown, number>, identify: Identify): void {
  elements.sort((a, b) => (places.get(identify(a)) ?? 0) - (places.get(identify(b)) ?? 0));
}

function interleave(
  others: readonly unknown[],
  named: readonly unknown[],
  livePlace: ReadonlyMap<unknown, number>,
  identify: Identify,
): unknown[] {
  const all: unknown[] = [];
  let next = 0;
  for (const element of named) {
    const place = livePlace.get(identify(element));
    while (place !== undefined && next < others.length) {
      const otherPlace = livePlace.get(identify(others[next]));
      if (otherPlace === undefined || otherPlace >= place) break;
      all.push(others[next++]);
    }
    all.push(element);
  }
  return [...all, ...others.slice(next)];
}
