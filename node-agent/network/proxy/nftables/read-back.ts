import { affinityMap, containers, frameChains, layoutComment } from './base-table.ts';
import { chainKey, elementKey, type Entries, setKey } from './entry.ts';
import { type RememberedClient, rememberedClient } from './remembered-clients.ts';

/** The result of reading the table. */
type FoundTable =
  | { readonly state: 'absent' }
  /** Made by another program, or by a version with another layout. */
  | { readonly state: 'foreign' }
  | { readonly state: 'ours'; readonly entries: Entries; readonly clients: readonly RememberedClient[] };

type Fields = Readonly<Record<string, unknown>>;

/** Reads `nft -j list table`: the table's entries, with observable values. */
export function parseTable(json: string): FoundTable {
  const { nftables } = JSON.parse(json) as { readonly nftables: readonly Fields[] };
  const objects = (kind: string): Fields[] => nftables.flatMap((item) => (isFields(item[kind]) ? [item[kind]] : []));
  const [found] = objects('table');
  if (found === undefined) return { state: 'absent' };
  if (found['comment'] !== layoutComment) return { state: 'foreign' };
  const entries: Entries = new Map();
  for (const chain of objects('chain')) {
    // A chain without rules has no digest.
    if (!frameChains.has(text(chain['name']))) entries.set(chainKey(text(chain['name'])), '');
  }
  readRules(objects('rule'), entries);
  const clients: RememberedClient[] = [];
  for (const container of [...objects('set'), ...objects('map')]) {
    if (container['name'] === affinityMap) clients.push(...readClients(container));
    else readContainer(container, entries);
  }
  return { state: 'ours', entries, clients };
}

/** Reads `nft -j list map` of the map of clients. */
export function parseClients(json: string): RememberedClient[] {
  const { nftables } = JSON.parse(json) as { readonly nftables: readonly Fields[] };
  return nftables.flatMap(({ map }) => (isFields(map) ? readClients(map) : []));
}

function readClients(container: Fields): RememberedClient[] {
  return list(container['elem']).map((element) => {
    const [key, data] = list(element);
    const { value } = unwrap(key);
    return rememberedClient(isFields(value) ? list(value['concat']) : [], dataText(data));
  });
}

/** The digest in the first rule counts only if as many rules are there as were written. */
function readRules(rules: readonly Fields[], entries: Entries): void {
  const found = new Map<string, { comment: string; count: number }>();
  for (const rule of rules) {
    const name = text(rule['chain']);
    const chain = found.get(name);
    if (chain === undefined) found.set(name, { comment: text(rule['comment']), count: 1 });
    else chain.count++;
  }
  for (const [name, { comment, count }] of found) {
    if (!frameChains.has(name)) entries.set(chainKey(name), comment.endsWith(`/${count}`) ? comment : '');
  }
}

function readContainer(container: Fields, entries: Entries): void {
  const name = text(container['name']);
  if (!containers.has(name)) {
    // Elements of affinity sets are clients, put there by traffic.
    entries.set(setKey(name), '');
    return;
  }
  for (const element of list(container['elem'])) {
    if (container['map'] === undefined) {
      entries.set(elementKey(name, keyText(unwrap(element).value)), '');
      continue;
    }
    const [key, data] = list(element);
    const { value, comment } = unwrap(key);
    entries.set(elementKey(name, keyText(value)), `${comment === undefined ? '' : `comment "${comment}" `}: ${dataText(data)}`);
  }
}

/** An element with a comment is an object around its value. */
function unwrap(element: unknown): { readonly value: unknown; readonly comment?: string } {
  if (!isFields(element) || !isFields(element['elem'])) return { value: element };
  const { val, comment } = element['elem'];
  return { value: val, ...(typeof comment === 'string' ? { comment } : {}) };
}

function keyText(key: unknown): string {
  return isFields(key) ? list(key['concat']).map(String).join(' . ') : String(key);
}

function dataText(data: unknown): string {
  if (!isFields(data)) return String(data);
  const { goto } = data;
  if (isFields(goto)) return `goto ${text(goto['target'])}`;
  return Object.hasOwn(data, 'concat') ? keyText(data) : (Object.keys(data)[0] ?? '');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
