import { chainDigest, type EntryName, parseEntryKey } from './entry.ts';
import type { EntryChange } from './rule-state.ts';

/** Elements per statement, each of which nft evaluates by itself. */
const maxElements = 500;

interface Named extends EntryChange {
  readonly name: EntryName;
}

/**
 * The changes of one table (`ip kube-proxy`) as input of `nft -f -`, which the kernel takes as a whole or not at all: no
 * packet ever sees a part of them. What is pointed at (sets, chains, endpoints) stands before what points at it, and goes
 * after it. Empty if there are none.
 */
export function renderTransaction(changes: readonly EntryChange[], table: string): string {
  const steps = changes
    .map((change): Named => ({ ...change, name: parseEntryKey(change.key) }))
    .map((change) => ({ change, step: stepOf(change) }))
    .sort((a, b) => a.step - b.step)
    .map(({ change }) => change);
  return renderChanges(steps, table);
}

function stepOf({ name, desired }: Named): number {
  if (name.kind === 'set') return desired === undefined ? 9 : 0;
  if (name.kind === 'chain') return desired === undefined ? 8 : 1 + Number(leadsToOwnChains(desired)) + Number(isExternal(name.name));
  const isData = name.container === 'service-endpoints' || name.container === 'nodeport-endpoints';
  if (desired !== undefined) return isData ? 4 : 5;
  return isData ? 7 : 6;
}

/** Chains are made before those that go to them: endpoint, then service and local, then external. */
function leadsToOwnChains(rules: string): boolean {
  return (
    rules.includes('goto endpoint-') ||
    rules.includes('goto endpoints-') ||
    rules.includes('goto affine-endpoints-') ||
    rules.includes('goto service-') ||
    rules.includes('goto local-')
  );
}

function isExternal(name: string): boolean {
  return name.startsWith('external-');
}

function renderChanges(changes: readonly Named[], table: string): string {
  const lines: string[] = [];
  renderSetsAndChains(changes, table, lines);
  // A key is deleted before it is added with another value; both are part of one transaction.
  renderElements(
    'delete',
    changes.filter(({ actual, desired }) => actual !== undefined && desired !== undefined),
    table,
    lines,
  );
  renderElements(
    'add',
    changes.filter(({ desired }) => desired !== undefined),
    table,
    lines,
  );
  renderElements(
    'delete',
    changes.filter(({ desired }) => desired === undefined),
    table,
    lines,
  );
  const gone = changes.filter(({ name, desired }) => name.kind === 'chain' && desired === undefined);
  for (const { name } of gone) lines.push(`flush chain ${table} ${name.name}`);
  for (const { name } of gone) lines.push(`delete chain ${table} ${name.name}`);
  for (const { name, desired } of changes) if (name.kind === 'set' && desired === undefined) lines.push(`delete set ${table} ${name.name}`);
  lines.push('');
  return lines.join('\n');
}

function renderSetsAndChains(changes: readonly Named[], table: string, lines: string[]): void {
  const wanted = changes.filter(({ desired }) => desired !== undefined);
  for (const { name, desired } of wanted) if (name.kind === 'set') lines.push(`add set ${table} ${name.name} { ${desired} }`);
  const chains = wanted.filter(({ name }) => name.kind === 'chain');
  for (const { name, actual } of chains) {
    lines.push(`${actual === undefined ? 'add' : 'flush'} chain ${table} ${name.name}`);
  }
  for (const { name, desired = '' } of chains) {
    for (const [index, rule] of desired.split('\n').entries()) {
      lines.push(`add rule ${table} ${name.name} ${rule}${index === 0 ? ` comment "${chainDigest(desired)}"` : ''}`);
    }
  }
}

function renderElements(action: 'add' | 'delete', changes: readonly Named[], table: string, lines: string[]): void {
  const byContainer = new Map<string, string[]>();
  for (const { name, desired } of changes) {
    if (name.kind !== 'element') continue;
    const text = action === 'delete' || !desired ? name.name : `${name.name} ${desired}`;
    const elements = byContainer.get(name.container);
    if (elements === undefined) byContainer.set(name.container, [text]);
    else elements.push(text);
  }
  for (const [container, elements] of byContainer) {
    for (let start = 0; start < elements.length; start += maxElements) {
      lines.push(`${action} element ${table} ${container} { ${elements.slice(start, start + maxElements).join(', ')} }`);
    }
  }
}
