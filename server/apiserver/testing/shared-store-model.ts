import assert from 'node:assert/strict';
import { type Random, randomInt } from '../../../api/base/random.ts';
import type { Storage } from '../../storage/storage.ts';
import { refusedMessage, unknownMessage } from '../../storage/testing/faulty-storage.ts';
import type { Answer, APICaller } from './api-caller.ts';
import type { State, WriteHistory } from './write-history.ts';

/** A Role in which each rule is the record of one write. */
export interface TracedRole {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly manager?: string; readonly operation?: string }[];
  };
  readonly rules?: readonly { readonly resources: readonly string[] }[];
}

interface RoleList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly TracedRole[];
}

/** A request and its answer, with the revisions of the store right before and after. */
interface Observed {
  readonly what: string;
  readonly key: string;
  readonly from: number;
  readonly to: number;
  readonly answer: Answer<unknown>;
  /** Checks an answer 2xx. */
  readonly onSuccess: (history: WriteHistory<TracedRole>, observed: Observed) => void;
  /** The trace that the write leaves; none for reads and deletions. */
  readonly trace?: string;
  /** Upon which the request was made. */
  readonly wantedVersion?: string;
  readonly wantedUID?: string;
}

export interface SharedStoreModel {
  /** Sends one random request to a random server. */
  act(worker: number): Promise<void>;
  /** Compares all answers with the history of the store. Returns the number of answers by status. */
  check(history: WriteHistory<TracedRole>): ReadonlyMap<number, number>;
}

export const rolePrefix = '/registry/roles/';
const names = ['r0', 'r1', 'r2'];

export function createSharedStoreModel({
  apis,
  storage,
  random,
  namespaces,
}: {
  readonly apis: readonly APICaller[];
  readonly storage: Storage;
  readonly random: Random;
  /** Empty at first. */
  readonly namespaces: readonly string[];
}): SharedStoreModel {
  const observed: Observed[] = [];
  let traces = 0;
  const pick = <T>(from: readonly T[]): T => from[randomInt(random, from.length)] as T;
  const observe = async (
    request: Pick<Observed, 'what' | 'key' | 'onSuccess'> & Partial<Observed>,
    send: () => Promise<Answer<unknown>>,
  ): Promise<Answer<unknown>> => {
    const from = await storage.currentRevision();
    const answer = await send();
    observed.push({ ...request, from, answer, to: await storage.currentRevision() });
    return answer;
  };
  const act = async (worker: number): Promise<void> => {
    const api = pick(apis);
    const [namespace, name] = [pick(namespaces), pick(names)];
    const collection = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`;
    const path = `${collection}/${name}`;
    const key = `${rolePrefix}${namespace}/${name}`;
    const trace = `t${++traces}`;
    const rule = { apiGroups: [''], resources: [trace], verbs: ['get'] };
    const get = () => observe({ what: 'get', key, onSuccess: wasRead }, () => pick(apis).get(path));
    switch (randomInt(random, 10)) {
      case 0:
      case 1:
        await observe({ what: 'create', key, trace, onSuccess: wasWritten }, () =>
          api.post(collection, { metadata: { name }, rules: [rule] }),
        );
        return;
      case 2:
      case 3:
        await observe({ what: 'append', key, trace, onSuccess: wasWritten }, () =>
          api.patch(path, 'json', [{ op: 'add', path: '/rules/-', value: rule }]),
        );
        return;
      case 4:
      case 5: {
        const { status, body } = await get();
        if (status !== 200) return;
        const role = body as TracedRole;
        const wantedVersion = role.metadata.resourceVersion ?? '';
        await observe({ what: 'update', key, trace, wantedVersion, onSuccess: wasWritten }, () =>
          api.put(path, { ...role, rules: [...(role.rules ?? []), rule] }),
        );
        return;
      }
      case 6: {
        const labels = { [`worker-${worker}`]: trace };
        const body = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name, labels } };
        await observe({ what: 'apply', key, trace, onSuccess: wasWritten }, () =>
          api.patch(`${path}?fieldManager=worker-${worker}&force=true`, 'apply', body),
        );
        return;
      }
      case 7: {
        const { status, body } = await get();
        if (status !== 200) return;
        const wantedUID = (body as TracedRole).metadata.uid;
        await observe({ what: 'delete', key, wantedUID, onSuccess: wasDeleted }, () =>
          api.delete(path, { preconditions: { uid: wantedUID } }),
        );
        return;
      }
      case 8:
        await observe({ what: 'list', key: `${rolePrefix}${namespace}/`, onSuccess: wasListed }, () => api.get(collection));
        return;
      default:
        await observe({ what: 'list in pages', key: `${rolePrefix}${namespace}/`, onSuccess: wasListed }, () =>
          listInPages(() => pick(apis), collection),
        );
    }
  };
  return {
    act,
    check(history) {
      const statuses = new Map<number, number>();
      for (const one of observed) {
        statuses.set(one.answer.status, (statuses.get(one.answer.status) ?? 0) + 1);
        checkAnswer(history, one);
      }
      for (const key of history.keys()) checkStates(key, history.statesOf(key));
      return statuses;
    },
  };
}

/** Each page from another server, as behind a load balancer. */
async function listInPages(api: () => APICaller, collection: string): Promise<Answer<unknown>> {
  const items: TracedRole[] = [];
  let token = '';
  let metadata: RoleList['metadata'] | undefined;
  for (;;) {
    const answer = await api().get<RoleList>(`${collection}?limit=1${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`);
    if (answer.status !== 200) return answer;
    items.push(...answer.body.items);
    metadata ??= answer.body.metadata;
    token = answer.body.metadata.continue ?? '';
    if (token === '') return { ...answer, body: { metadata, items } };
  }
}

const tracesOf = (role: TracedRole | undefined): readonly string[] => [
  ...(role?.rules ?? []).flatMap(({ resources }) => resources),
  ...Object.values(role?.metadata.labels ?? {}),
];

function checkAnswer(history: WriteHistory<TracedRole>, observed: Observed): void {
  const { answer, trace, key, from, to, wantedVersion, wantedUID } = observed;
  const tell = (problem: string) => `${observed.what} ${key} (revisions ${from} to ${to}) ${problem}: ${answer.status} ${answer.text}`;
  if (answer.status < 300) return observed.onSuccess(history, observed);
  const { reason = '', message = '' } = answer.body as { readonly reason?: string; readonly message?: string };
  const isUnknown = answer.status >= 500 && message.includes(unknownMessage);
  const isDone = trace !== undefined && history.statesOf(key).some(({ value }) => tracesOf(value).includes(trace));
  assert.ok(isUnknown || !isDone, tell('was done all the same'));
  const hasBeen = (matches: (state: State<TracedRole>) => boolean) => history.hasBeen(key, from, to, matches);
  switch (answer.status) {
    case 404:
      return assert.ok(
        hasBeen(({ value }) => value === undefined),
        tell('found nothing where something was'),
      );
    case 409:
      if (reason === 'AlreadyExists')
        return assert.ok(
          hasBeen(({ value }) => value !== undefined),
          tell('found something where nothing was'),
        );
      assert.ok(wantedVersion !== undefined || wantedUID !== undefined, tell('is a conflict without a condition'));
      return assert.ok(
        hasBeen(({ revision, value }) =>
          wantedUID === undefined ? String(revision) !== wantedVersion : value?.metadata.uid !== wantedUID,
        ),
        tell('is a conflict with nothing'),
      );
    case 422:
      // A Role that was made by an apply has no rules to which another could be added.
      return assert.ok(observed.what === 'append' && hasBeen(({ value }) => value !== undefined && !value.rules), tell('is refused'));
    case 410:
      return assert.equal(observed.what, 'list in pages', tell('has expired'));
    default:
      assert.ok(isUnknown || message.includes(refusedMessage), tell('is no answer that upstream would give'));
  }
}

function wasWritten(history: WriteHistory<TracedRole>, { what, key, trace = '', from, to, answer }: Observed): void {
  const { metadata } = answer.body as TracedRole;
  const first = history.statesOf(key).find(({ value }) => tracesOf(value).includes(trace));
  const told = `${what} ${key} ${trace} was answered ${answer.status} at revision ${metadata.resourceVersion}`;
  assert.equal(String(first?.revision), metadata.resourceVersion, `${told}, and stands in the store from ${first?.revision} on`);
  assert.ok(Number(first?.revision) > from && Number(first?.revision) <= to, `${told}, between ${from} and ${to}`);
}

function wasDeleted(history: WriteHistory<TracedRole>, { key, from, to, wantedUID }: Observed): void {
  const gone = history.statesOf(key).find(({ value, revision }) => value === undefined && revision > from && revision <= to);
  assert.ok(gone, `the deletion of ${key} between ${from} and ${to} has not happened`);
  assert.equal(history.at(key, gone.revision - 1).value?.metadata.uid, wantedUID, `another object was deleted: ${key}`);
}

function wasRead(history: WriteHistory<TracedRole>, { key, from, to, answer }: Observed): void {
  const role = answer.body as TracedRole;
  const isPresent = history.hasBeen(key, from, to, ({ revision, value }) => {
    const isSame = String(revision) === role.metadata.resourceVersion;
    if (isSame) assert.deepEqual(tracesOf(role), tracesOf(value));
    return isSame;
  });
  assert.ok(isPresent, `${key} was read at revision ${role.metadata.resourceVersion}, which was not present between ${from} and ${to}`);
}

function wasListed(history: WriteHistory<TracedRole>, { what, key, from, to, answer }: Observed): void {
  const { metadata, items } = answer.body as RoleList;
  const revision = Number(metadata.resourceVersion);
  assert.ok(revision >= from && revision <= to, `${what} ${key} at revision ${revision}, between ${from} and ${to}`);
  const listed = items.map(({ metadata: { name, resourceVersion } }) => `${key}${name} ${resourceVersion}`);
  const stored = [...history.keys()]
    .filter((one) => one.startsWith(key))
    .map((one) => ({ one, state: history.at(one, revision) }))
    .filter(({ state }) => state.value !== undefined)
    .map(({ one, state }) => `${one} ${state.revision}`);
  assert.deepEqual(listed, stored.sort(), `${what} ${key} at revision ${revision}`);
}

/** No write is lost, and none is done twice. */
function checkStates(key: string, states: readonly State<TracedRole>[]): void {
  let before: TracedRole | undefined;
  for (const { revision, value } of states) {
    const rules = (value?.rules ?? []).flatMap(({ resources }) => resources);
    assert.equal(new Set(rules).size, rules.length, `${key} at ${revision} has a write twice: ${rules.join(' ')}`);
    if (before && value && before.metadata.uid === value.metadata.uid) {
      const lost = (before.rules ?? []).flatMap(({ resources }) => resources).filter((trace) => !rules.includes(trace));
      assert.deepEqual(lost, [], `${key} at ${revision} has lost writes`);
    }
    before = value;
  }
}
