import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { FlowSchema, PolicyRulesWithSubjects } from '../../../api/types/flowcontrol-v1.ts';
import type { RequestInfo } from '../request/request-context.ts';
import { matchesRequest, rulesFor } from './match-flow.ts';

/** A FlowSchema in use, with the function that makes the flow of a distinguisher. */
interface ClassifierEntry<Flow> {
  readonly schema: DeepReadonly<FlowSchema>;
  /** Same distinguisher, same flow. */
  flowOf(distinguisher: string): Flow;
}

/** Finds the flow of requests. */
export interface Classifier<Flow> {
  classify(user: UserInfo, info: RequestInfo): Flow;
}

/** The most users and kinds of requests that are remembered. Beyond it all are dropped, since clients can invent any number of them. */
const maxUsers = 4096;
const maxRequestsPerUser = 1024;

interface KnownUser<Flow> {
  readonly groups: readonly string[];
  readonly candidates: readonly {
    readonly entry: ClassifierEntry<Flow>;
    readonly rules: readonly DeepReadonly<PolicyRulesWithSubjects>[];
  }[];
  readonly flows: Map<string, Flow>;
}

/**
 * Matches requests against FlowSchemas in their order; the last one takes the rest. Results are remembered by user and by the kind of
 * request, so that all but the first request of a kind cost two look-ups.
 */
export function createClassifier<Flow>(entries: readonly ClassifierEntry<Flow>[]): Classifier<Flow> {
  const users = new Map<string, KnownUser<Flow>[]>();
  const last = entries.at(-1);
  if (last === undefined) throw new Error('there is always a FlowSchema that takes everything');

  const remember = (user: UserInfo): KnownUser<Flow> => {
    const candidates = entries.map((entry) => ({ entry, rules: rulesFor(entry.schema, user) })).filter(({ rules }) => rules.length > 0);
    const known = { groups: user.groups, candidates, flows: new Map<string, Flow>() };
    if (users.size >= maxUsers) users.clear();
    const sameName = users.get(user.name);
    if (sameName === undefined || sameName.length >= maxUsers) users.set(user.name, [known]);
    else sameName.push(known);
    return known;
  };
  return {
    classify(user, info) {
      const known = find(users.get(user.name), user.groups) ?? remember(user);
      const key = keyOf(info);
      const flow = known.flows.get(key);
      if (flow !== undefined) return flow;
      const { entry } = known.candidates.find(({ rules }) => matchesRequest(rules, info)) ?? { entry: last };
      const found = entry.flowOf(distinguisherOf(entry.schema, user, info));
      if (known.flows.size >= maxRequestsPerUser) known.flows.clear();
      known.flows.set(key, found);
      return found;
    },
  };
}

/** All that rules look at. */
function keyOf(info: RequestInfo): string {
  return info.isResourceRequest
    ? `${info.verb} ${info.apiGroup}/${info.resource}/${info.subresource} ${info.namespace}`
    : `${info.verb} ${info.path}`;
}

function find<Flow>(sameName: readonly KnownUser<Flow>[] | undefined, groups: readonly string[]): KnownUser<Flow> | undefined {
  if (sameName === undefined) return undefined;
  for (const known of sameName) if (known.groups === groups || isEqual(known.groups, groups)) return known;
  return undefined;
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

function distinguisherOf({ spec }: DeepReadonly<FlowSchema>, user: UserInfo, { namespace }: RequestInfo): string {
  switch (spec?.distinguisherMethod?.type) {
    case 'ByUser':
      return user.name;
    case 'ByNamespace':
      return namespace;
    default:
      return '';
  }
}
