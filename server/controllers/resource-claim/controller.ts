import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quote } from '../../../api/base/quote.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import type { Informer } from '../../../api/client/informers/informer.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { isControlledBy } from '../../../api/meta/owner-references.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { resourceClaims } from '../../../api/resources/resource/v1/resource-claim.ts';
import { resourceClaimTemplates } from '../../../api/resources/resource/v1/resource-claim-template.ts';
import {
  claimFinalizer,
  claimNamesOf,
  isReservedFor,
  namedClaim,
  notOwner,
  podClaimNameAnnotation,
} from '../../../api/semantics/devices/resource-claims.ts';
import type { Pod, PodResourceClaim } from '../../../api/types/core-v1.ts';
import type { ResourceClaim, ResourceClaimConsumerReference } from '../../../api/types/resource-v1.ts';
import { type ControllerSetup, defineController, done, watching } from '../runtime/define-controller.ts';
import { dependentsOf, indexByController } from '../runtime/dependents.ts';
import { messageOf } from '../runtime/pod-control.ts';
import { claimForPod } from './claim-for-pod.ts';
import { isLeftOver, isPodDone, planClaim } from './claim-plan.ts';
import { rules } from './rbac.ts';

type Claim = DeepReadonly<ResourceClaim>;

const fieldManager = 'ResourceClaimController';
const claimIndex = 'resourceclaim';
/** The prefix of keys that stand for claims. A Pod's name has no colon, so these keys differ from those of Pods. */
const claimPrefix = 'claim:';

/** Makes the claims that Pods ask for by template, and takes claims from Pods that have ended. */
export const resourceClaimController = defineController({
  name: 'resourceclaim-controller',
  account: 'resource-claim-controller',
  component: 'resource_claim',
  concerns: ({ spec }) => (spec?.resourceClaims ?? []).length > 0,
  for: pods,
  watches: [
    watching(pods, (pod) => claimNamesOf(pod).map((name) => claimKey({ namespace: pod.metadata.namespace ?? '', name }))),
    watching(resourceClaims, (claim, { lister }) => [
      claimKey(keyOf(claim)),
      ...lister(pods)
        .byIndex(claimIndex, indexKey(keyOf(claim)))
        .map(keyOf),
    ]),
    watching(resourceClaimTemplates, ({ metadata }, { lister }) =>
      lister(pods)
        .list({
          namespace: metadata.namespace ?? '',
          matches: ({ spec }) => spec?.resourceClaims?.some((one) => one.resourceClaimTemplateName === metadata.name) ?? false,
        })
        .map(keyOf),
    ),
  ],
  rules,
  setUp(setup) {
    setup
      .informer(pods)
      .addIndex(claimIndex, (pod) => claimNamesOf(pod).map((name) => indexKey({ namespace: pod.metadata.namespace ?? '', name })));
    const claims = setup.informer(resourceClaims);
    indexByController(claims);
    const made = new MadeClaims(claims);
    return async (key) => {
      if (key.name.startsWith(claimPrefix)) await syncClaim(setup, { ...key, name: key.name.slice(claimPrefix.length) });
      else await syncPod(setup, made, key);
      return done;
    };
  },
});

function claimKey({ namespace, name }: ObjectKey): ObjectKey {
  return { namespace, name: `${claimPrefix}${name}` };
}

function indexKey({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}

/** Claims that were made from templates, also those of which the informer does not know yet. */
class MadeClaims {
  readonly #claims: Informer<ResourceClaim>;
  readonly #fresh = new Map<string, Claim>();

  constructor(claims: Informer<ResourceClaim>) {
    this.#claims = claims;
    const forget = ({ metadata }: Claim) => void this.#fresh.delete(metadata.uid ?? '');
    claims.addHandler({ onAdd: forget, onUpdate: forget, onDelete: forget });
  }

  add(claim: Claim): void {
    if (this.#claims.lister.find(keyOf(claim)) === undefined) this.#fresh.set(claim.metadata.uid ?? '', claim);
  }

  find(pod: DeepReadonly<Pod>, podClaim: string): Claim | undefined {
    const fresh = [...this.#fresh.values()].filter((claim) => isControlledBy(claim, pod));
    return [...dependentsOf(this.#claims, pod.metadata.uid ?? ''), ...fresh].find(
      ({ metadata }) => metadata.annotations?.[podClaimNameAnnotation] === podClaim && metadata.namespace === pod.metadata.namespace,
    );
  }
}

async function syncPod(setup: ControllerSetup, made: MadeClaims, key: ObjectKey): Promise<void> {
  const pod = setup.lister(pods).find(key);
  const podClaims = pod?.spec?.resourceClaims ?? [];
  if (pod === undefined || podClaims.length === 0 || pod.metadata.deletionTimestamp !== undefined) return;
  const statuses: { readonly name: string; readonly resourceClaimName: string }[] = [];
  for (const podClaim of podClaims) {
    try {
      const resourceClaimName = await ensureClaim(setup, made, pod, podClaim);
      if (resourceClaimName !== undefined) statuses.push({ name: podClaim.name, resourceClaimName });
    } catch (error) {
      const message = `PodResourceClaim ${podClaim.name}: ${messageOf(error)}`;
      setup.events.event(referenceTo(pods, pod), 'Warning', 'FailedResourceClaimCreation', message);
      throw new Error(`pod ${key.namespace}/${key.name}, ${message}`, { cause: error });
    }
  }
  if (statuses.length > 0) await writeStatuses(setup, pod, statuses);
  // Otherwise the scheduler reserves them.
  if (pod.spec?.nodeName && !isPodDone(pod)) await reserveClaims(setup, pod);
}

/** The name of a claim to be recorded in the Pod's status; undefined: there is nothing to record. */
async function ensureClaim(
  { lister, client }: ControllerSetup,
  made: MadeClaims,
  pod: DeepReadonly<Pod>,
  podClaim: DeepReadonly<PodResourceClaim>,
): Promise<string | undefined> {
  const template = podClaim.resourceClaimTemplateName;
  const namespace = pod.metadata.namespace ?? '';
  if (template === undefined || isPodDone(pod)) return undefined;
  const named = namedClaim(pod, podClaim);
  if ('isNeedless' in named) return undefined;
  if ('name' in named) {
    const present = lister(resourceClaims).find({ namespace, name: named.name }) ?? made.find(pod, podClaim.name);
    // A claim that is gone, or is another's, is made again.
    if (present?.metadata.name === named.name && isControlledBy(present, pod)) return undefined;
  }
  const orphan = made.find(pod, podClaim.name);
  if (orphan !== undefined) return orphan.metadata.name;
  const found = lister(resourceClaimTemplates).find({ namespace, name: template });
  if (found === undefined) {
    throw new Error(`resource claim template ${quote(template)}: resourceclaimtemplate.resource.k8s.io ${quote(template)} not found`);
  }
  try {
    const created = await client(resourceClaims).create(claimForPod(pod, podClaim.name, found));
    made.add(created);
    return created.metadata.name;
  } catch (error) {
    throw new Error(`create ResourceClaim : ${messageOf(error)}`, { cause: error });
  }
}

async function writeStatuses({ client }: ControllerSetup, pod: DeepReadonly<Pod>, statuses: readonly object[]): Promise<void> {
  const key = keyOf(pod);
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: { ...key, uid: pod.metadata.uid }, status: { resourceClaimStatuses: statuses } };
  try {
    await ignoreNotFound(client(pods).patch(key, { type: 'strategic', body }, { fieldManager, subresource: 'status' }));
  } catch (error) {
    throw new Error(`update pod ${key.namespace}/${key.name} ResourceClaimStatuses: ${messageOf(error)}`, { cause: error });
  }
}

/** A Pod that came to its node without the scheduler may use claims that have devices already. */
async function reserveClaims({ lister, client }: ControllerSetup, pod: DeepReadonly<Pod>): Promise<void> {
  const namespace = pod.metadata.namespace ?? '';
  for (const podClaim of pod.spec?.resourceClaims ?? []) {
    const named = namedClaim(pod, podClaim);
    if (!('name' in named)) continue;
    const claim = lister(resourceClaims).find({ namespace, name: named.name });
    if (claim === undefined) return;
    if (named.isGenerated && !isControlledBy(claim, pod)) throw new Error(notOwner(claim, pod));
    if (claim.status?.allocation === undefined || isReservedFor(claim, pod) || claim.metadata.deletionTimestamp !== undefined) continue;
    const changed = mutableCopy<ResourceClaim>(claim);
    const { name = '', uid = '' } = pod.metadata;
    changed.status = { ...changed.status, reservedFor: [...(changed.status?.reservedFor ?? []), { resource: 'pods', name, uid }] };
    await client(resourceClaims).updateStatus(changed);
  }
}

async function syncClaim(setup: ControllerSetup, key: ObjectKey): Promise<void> {
  const { lister, client } = setup;
  const claim = lister(resourceClaims).find(key);
  if (claim === undefined) return;
  const plan = planClaim(claim, await findUsers(setup, claim));
  let current = mutableCopy<ResourceClaim>(claim);
  if (plan.reservedFor !== undefined || plan.deallocates) {
    const { allocation, reservedFor, ...rest } = current.status ?? {};
    const users = mutableCopy<ResourceClaimConsumerReference[]>(plan.reservedFor ?? reservedFor ?? []);
    current.status = {
      ...rest,
      ...(allocation === undefined || plan.deallocates ? {} : { allocation }),
      ...(users.length === 0 ? {} : { reservedFor: users }),
    };
    // An update and not a patch: it must fail if the claim has been reserved meanwhile.
    const updated = await ignoreNotFound(client(resourceClaims).updateStatus(current));
    if (updated === undefined) return;
    current = mutableCopy<ResourceClaim>(updated);
  }
  if (plan.losesFinalizer) {
    current.metadata.finalizers = (current.metadata.finalizers ?? []).filter((one) => one !== claimFinalizer);
    await ignoreNotFound(client(resourceClaims).update(current));
  }
  const isUnused = (current.status?.reservedFor ?? []).length === 0 && claim.metadata.deletionTimestamp === undefined;
  if (isUnused && isLeftOver(claim, (name) => lister(pods).find({ namespace: key.namespace, name }))) {
    await ignoreNotFound(client(resourceClaims).delete(key, { preconditions: { uid: claim.metadata.uid ?? '' } }));
  }
}

/** The claim's consumers that still exist and have not ended. */
async function findUsers(
  { lister, client }: ControllerSetup,
  { metadata, status }: Claim,
): Promise<DeepReadonly<ResourceClaimConsumerReference>[]> {
  const users: DeepReadonly<ResourceClaimConsumerReference>[] = [];
  for (const consumer of status?.reservedFor ?? []) {
    const { apiGroup = '', resource, name, uid } = consumer;
    if (apiGroup !== '' || resource !== 'pods') throw new Error(`unsupported ReservedFor entry: ${resource}.${apiGroup} ${name}`);
    const key = { namespace: metadata.namespace ?? '', name };
    // The cache may not know the Pod yet that is being scheduled now.
    const pod = lister(pods).find(key) ?? (await ignoreNotFound(client(pods).get(key)));
    if (pod !== undefined && pod.metadata.uid === uid && !isPodDone(pod)) users.push(consumer);
  }
  return users;
}
