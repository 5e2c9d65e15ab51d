import { isEqual } from '../base/equality.ts';
import { quote } from '../base/quote.ts';
import { compareUTF8 } from '../base/utf8.ts';
import { type FieldSet, isEmptySet, parseFieldSet, unionOf } from './field-set.ts';

/** metav1.ManagedFieldsEntry in its JSON form. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  time?: string | null;
  fieldsType?: string;
  fieldsV1?: object | null;
  subresource?: string;
}

/** A manager of fields, and the fields that it owns. */
export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
  /** The entry that it was read from, as long as nothing has changed. */
  readonly entry?: Readonly<ManagedFieldsEntry>;
}

/** The greatest number of update managers that are kept apart; beyond it the oldest are merged into one. */
const maxUpdaters = 10;
const bucketName = 'ancient-changes';

/** Whether two entries are the same manager. An apply manager is the same in every version that it applies in. */
export function isSameManager(a: Omit<Manager, 'fields' | 'time'>, b: Omit<Manager, 'fields' | 'time'>): boolean {
  if (a.name !== b.name || a.operation !== b.operation || a.subresource !== b.subresource) return false;
  return a.operation === 'Apply' || a.apiVersion === b.apiVersion;
}

/** Upstream's identifier of a manager, which conflicts are sorted by. */
export function identify({ name, operation, apiVersion, subresource }: Omit<Manager, 'fields' | 'time'>): string {
  const version = operation === 'Apply' ? {} : { apiVersion };
  return JSON.stringify({ manager: name, operation, ...version, ...(subresource === '' ? {} : { subresource }) });
}

/** `"name"`, `"name" with subresource "status" using apps/v1`: how messages name a manager. */
export function formatManager({ name, operation, apiVersion, subresource }: Manager): string {
  const where = subresource === '' ? '' : ` with subresource ${quote(subresource)}`;
  return `${quote(name)}${where}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
}

/** Entries as they were stored, by this server or by another Kubernetes: taken on trust. */
export function readStoredManagers(entries: readonly Readonly<ManagedFieldsEntry>[] | undefined): Manager[] {
  const managers: Manager[] = [];
  for (const entry of entries ?? []) {
    const { operation } = entry;
    if (operation !== 'Apply' && operation !== 'Update') continue;
    managers.push(toManager(entry, operation, (entry.fieldsV1 ?? {}) as FieldSet));
  }
  return managers;
}

function toManager(entry: Readonly<ManagedFieldsEntry>, operation: 'Apply' | 'Update', fields: FieldSet): Manager {
  const { manager: name = '', apiVersion = '', subresource = '', time } = entry;
  return { name, operation, apiVersion, subresource, time: time ?? undefined, fields, entry };
}

/** Entries that a client sent; undefined if they cannot be understood. */
function parseManagers(entries: readonly Readonly<ManagedFieldsEntry>[]): Manager[] | undefined {
  const managers = new Map<string, Manager>();
  for (const entry of entries) {
    const { operation } = entry;
    if ((operation !== 'Apply' && operation !== 'Update') || !entry.apiVersion || entry.fieldsType !== 'FieldsV1') return undefined;
    try {
      const { entry: _, ...manager } = toManager(entry, operation, parseFieldSet(entry.fieldsV1 ?? {}));
      managers.set(identify(manager), manager);
    } catch {
      // An entry with an error counts as not sent: clients that do not know managedFields must not lose them.
      return undefined;
    }
  }
  return [...managers.values()];
}

/** `[]` and `[{}]` ask for managedFields to be dropped. */
function isReset(entries: readonly Readonly<ManagedFieldsEntry>[] | undefined): boolean {
  if (entries === undefined || entries.length > 1) return false;
  const [first] = entries;
  return first === undefined || Object.keys(first).length === 0;
}

/** The managers before a write: those that the client sent, else the stored ones. A request to a subresource cannot change them. */
export function managersBefore(
  stored: readonly Readonly<ManagedFieldsEntry>[] | undefined,
  sent: readonly Readonly<ManagedFieldsEntry>[] | undefined,
  subresource: string,
): Manager[] {
  if (subresource !== '' || sent === stored || isEqual(sent, stored)) return readStoredManagers(stored);
  if (isReset(sent)) return [];
  const managers = parseManagers(sent ?? []);
  return managers === undefined || managers.length === 0 ? readStoredManagers(stored) : managers;
}

function compareTimes(a: string | undefined, b: string | undefined): number {
  // Times in the one canonical format sort as text.
  return compareUTF8(a ?? '', b ?? '');
}

/** The managers in the form in which they are stored, without those that own nothing; undefined if none remain. */
export function writeManagers(managers: readonly Manager[]): ManagedFieldsEntry[] | undefined {
  const owners = managers.filter(({ fields }) => !isEmptySet(fields));
  if (owners.length === 0) return undefined;
  owners.sort(
    (a, b) =>
      compareUTF8(a.operation, b.operation) ||
      compareTimes(a.time, b.time) ||
      compareUTF8(a.name, b.name) ||
      compareUTF8(a.apiVersion, b.apiVersion) ||
      compareUTF8(a.subresource, b.subresource),
  );
  return owners.map(toEntry);
}

function toEntry(manager: Manager): ManagedFieldsEntry {
  const { name, operation, apiVersion, subresource, time, fields, entry } = manager;
  if (entry !== undefined && entry.fieldsV1 === fields && (entry.time ?? undefined) === time && entry.apiVersion === apiVersion)
    return entry;
  return {
    ...(name === '' ? {} : { manager: name }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...(subresource === '' ? {} : { subresource }),
  };
}

/** Merges the oldest update managers of a version into one while there are too many. */
export function capUpdaters(managers: readonly Manager[]): readonly Manager[] {
  let excess = managers.reduce((count, { operation }) => count + (operation === 'Update' ? 1 : 0), -maxUpdaters);
  if (excess <= 0) return managers;
  const updaters = managers.filter(({ operation }) => operation === 'Update');
  updaters.sort((a, b) => compareTimes(a.time, b.time) || compareUTF8(identify(a), identify(b)));
  const rest = new Set(managers);
  const oldest = new Map<string, Manager[]>();
  for (const updater of updaters) {
    if (excess <= 0) break;
    rest.delete(updater);
    const older = oldest.get(updater.apiVersion);
    if (older === undefined) oldest.set(updater.apiVersion, [updater]);
    else {
      older.push(updater);
      excess--;
    }
  }
  for (const merged of oldest.values()) rest.add(mergeUpdaters(merged));
  return [...rest];
}

/** Merges several managers of a version into one. `updaters` are sorted by time; the last is the newest. */
function mergeUpdaters(updaters: readonly Manager[]): Manager {
  const newest = updaters.at(-1);
  if (newest === undefined) throw new Error('there are no updaters to merge');
  if (updaters.length === 1) return newest;
  const { entry: _, ...merged } = newest;
  return { ...merged, name: bucketName, subresource: '', fields: unionOf(updaters.map(({ fields }) => fields)) };
}
