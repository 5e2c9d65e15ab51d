import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Client } from '../../../api/client/client.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { resourceClaims } from '../../../api/resources/resource/v1/resource-claim.ts';
import { findContainer } from '../../../api/semantics/pods/pod-containers.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ClaimKey, DRAClient, PreparedDevice } from './dra-client.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import { claimNames, claimProblem, driversOf, isForRequest } from './claim-names.ts';

interface PreparedClaim extends ClaimKey {
  /** By driver. */
  readonly devices: Readonly<Record<string, readonly PreparedDevice[]>>;
  /** False: begun, and perhaps not finished. */
  readonly isReady: boolean;
  /** Uids of the Pods that use it on this node. */
  readonly pods: readonly string[];
}

interface PodClaimsDependencies {
  readonly client: Client;
  readonly files: HostFiles;
  readonly logger: Logger;
  /** The file that records prepared claims, which must be unprepared, also by the next agent. */
  readonly record: string;
  readonly findDriver: (name: string) => DRAClient | undefined;
}

/** Dynamic resources of Pods on this node: made ready by their drivers before a Pod runs, and given back after the last. */
export interface PodClaims {
  /** Makes all claims of the Pod ready. Throws an Error fit to be shown; may be repeated at any time. */
  prepare(pod: DeepReadonly<Pod>): Promise<void>;
  /** Names of CDI devices for a container. */
  devicesOf(pod: DeepReadonly<Pod>, container: string): string[];
  /** Whether drivers have prepared anything for the Pod that is not undone yet, as far as is known. */
  holds(pod: DeepReadonly<Pod>): boolean;
  /** The Pod has ended. */
  release(pod: DeepReadonly<Pod>): Promise<void>;
}

export function createPodClaims(dependencies: PodClaimsDependencies): PodClaims {
  return new Claims(dependencies);
}

class Claims implements PodClaims {
  readonly #dependencies: PodClaimsDependencies;
  /** The prepared claims by their `namespace/name`. */
  readonly #prepared = new Map<string, PreparedClaim>();
  #known: Promise<void> | undefined;
  #isLoaded = false;
  /** One at a time, since claims are shared. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(dependencies: PodClaimsDependencies) {
    this.#dependencies = dependencies;
  }

  prepare(pod: DeepReadonly<Pod>): Promise<void> {
    if ((pod.spec?.resourceClaims ?? []).length === 0) return Promise.resolve();
    return this.#inTurn(async () => {
      for (const [name, claimName] of claimNames(pod)) {
        if (claimName === undefined) throw new Error(`ResourceClaim for ${name} of pod ${pod.metadata.name} has not been created yet`);
        await this.#prepareOne(pod, claimName);
      }
    });
  }

  devicesOf(pod: DeepReadonly<Pod>, container: string): string[] {
    const names = claimNames(pod);
    const resources = findContainer(pod.spec, container)?.resources;
    return (resources?.claims ?? []).flatMap(({ name, request }) => {
      const claim = this.#prepared.get(`${pod.metadata.namespace}/${names.get(name)}`);
      return Object.values(claim?.devices ?? {})
        .flat()
        .filter(({ request_names }) => isForRequest(request_names, request))
        .flatMap(({ cdi_device_ids }) => cdi_device_ids);
    });
  }

  holds({ metadata, spec }: DeepReadonly<Pod>): boolean {
    if ((spec?.resourceClaims ?? []).length === 0) return false;
    return !this.#isLoaded || [...this.#prepared.values()].some(({ pods }) => pods.includes(metadata.uid ?? ''));
  }

  release(pod: DeepReadonly<Pod>): Promise<void> {
    if ((pod.spec?.resourceClaims ?? []).length === 0) return Promise.resolve();
    const { uid = '' } = pod.metadata;
    return this.#inTurn(async () => {
      for (const [key, claim] of this.#prepared) {
        if (!claim.pods.includes(uid)) continue;
        const pods = claim.pods.filter((one) => one !== uid);
        if (pods.length === 0) {
          await this.#undo(claim);
          this.#prepared.delete(key);
        } else this.#prepared.set(key, { ...claim, pods });
        await this.#save();
      }
    });
  }

  async #prepareOne(pod: DeepReadonly<Pod>, name: string): Promise<void> {
    const { namespace = '', uid = '' } = pod.metadata;
    const key = `${namespace}/${name}`;
    const present = this.#prepared.get(key);
    if (present?.isReady && present.pods.includes(uid)) return;
    const claim = await this.#dependencies
      .client(resourceClaims)
      .get({ namespace, name })
      .catch((error: unknown) => {
        throw hasReason(error, 'NotFound')
          ? new Error(`failed to fetch ResourceClaim ${name} referenced by pod ${pod.metadata.name}: not found`)
          : error;
      });
    const problem = claimProblem(claim, pod);
    if (problem !== undefined) throw new Error(problem);
    const own = { namespace, name, uid: claim.metadata.uid ?? '' };
    if (present && present.uid !== own.uid) await this.#undo(present);
    if (present?.isReady && present.uid === own.uid) {
      this.#prepared.set(key, { ...present, pods: [...present.pods, uid] });
      return this.#save();
    }
    const devices: Record<string, readonly PreparedDevice[]> = {};
    // Recorded first, so that a prepared claim is unprepared even if the agent dies in between.
    for (const driver of driversOf(claim)) devices[driver] = [];
    const pods = [...new Set([...(present?.uid === own.uid ? present.pods : []), uid])];
    this.#prepared.set(key, { ...own, devices: { ...devices }, isReady: false, pods });
    await this.#save();
    for (const driver of Object.keys(devices)) devices[driver] = await this.#driver(driver).prepare(own);
    this.#prepared.set(key, { ...own, devices, isReady: true, pods });
    await this.#save();
  }

  async #undo({ namespace, name, uid, devices }: PreparedClaim): Promise<void> {
    for (const driver of Object.keys(devices)) await this.#driver(driver).unprepare({ namespace, name, uid });
  }

  #driver(name: string): DRAClient {
    const driver = this.#dependencies.findDriver(name);
    if (!driver) throw new Error(`DRA driver ${name} is not registered`);
    return driver;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => this.#load()).then(work);
    this.#turn = turn.catch(() => undefined); // whoever waited for it is told
    return turn;
  }

  #load(): Promise<void> {
    const { files, record, logger } = this.#dependencies;
    this.#known ??= (async () => {
      const text = await files.findText(record);
      for (const claim of text === undefined ? [] : (JSON.parse(text) as PreparedClaim[]))
        this.#prepared.set(`${claim.namespace}/${claim.name}`, claim);
    })()
      .catch((error: unknown) => logger.error('what drivers have prepared cannot be read', { error }))
      .finally(() => (this.#isLoaded = true));
    return this.#known;
  }

  async #save(): Promise<void> {
    const { files, record } = this.#dependencies;
    await files.write(`${record}.new`, JSON.stringify([...this.#prepared.values()]), { mode: 0o600 });
    await files.rename(`${record}.new`, record);
  }
}
