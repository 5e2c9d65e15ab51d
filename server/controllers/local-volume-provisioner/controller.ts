import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { storageClasses } from '../../../api/resources/storage/v1/storage-class.ts';
import { localVolumeFinalizer, localVolumeNodeAnnotation } from '../../../api/semantics/storage/local-volumes.ts';
import { storageClassOf } from '../../../api/semantics/storage/persistent-volumes.ts';
import { selectedNodeAnnotation } from '../../../api/semantics/storage/volume-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import { type ControllerSetup, defineController, done, type ReconcileResult, watching } from '../runtime/define-controller.ts';
import { messageOf } from '../runtime/pod-control.ts';
import { asksForLocalVolume, chooseNode, isLocalVolume, localVolumeFor, planLocalVolume, volumeNameFor } from './local-volume-plan.ts';
import { createNodeDirectories, type NodeDirectories } from './node-directories.ts';
import { rules } from './rbac.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;
type Volume = DeepReadonly<PersistentVolume>;

/** Makes volumes of directories on the nodes' own disks, and removes them when they are released. Keys without a namespace are volumes. */
export const localVolumeProvisionerController = defineController({
  name: 'local-volume-provisioner',
  account: 'local-volume-provisioner',
  for: persistentVolumeClaims,
  concerns: asksForLocalVolume,
  reads: [storageClasses, nodes],
  watches: [watching(persistentVolumes, (volume) => (isLocalVolume(volume) ? [keyOf(volume)] : []))],
  rules,
  setUp(setup) {
    const directories = createNodeDirectories(setup.client, setup.signal);
    return (key) => (key.namespace === '' ? reclaim(key, setup, directories) : provision(key, setup, directories));
  },
});

async function provision(key: ObjectKey, setup: ControllerSetup, directories: NodeDirectories): Promise<ReconcileResult> {
  const { lister, client, events } = setup;
  const claim = lister(persistentVolumeClaims).find(key);
  if (claim === undefined || !asksForLocalVolume(claim)) return done;
  if (lister(persistentVolumes).find({ namespace: '', name: volumeNameFor(claim) }) !== undefined) return done;
  const storageClass = lister(storageClasses).find({ namespace: '', name: storageClassOf(claim) });
  if (storageClass === undefined) return done;
  const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    events.event(referenceTo(persistentVolumeClaims, claim), type, reason, message);
  const fail = (problem: string) =>
    say('Warning', 'ProvisioningFailed', `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${problem}`);
  const choice = chooseNode(claim);
  if ('refusal' in choice) {
    fail(choice.refusal);
    return done;
  }
  const node = lister(nodes).find({ namespace: '', name: choice.nodeName });
  if (node === undefined) {
    fail(`node "${choice.nodeName}" not found`);
    await chooseAgain(setup, claim);
    return done;
  }
  say('Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${key.namespace}/${key.name}"`);
  try {
    const path = await directories.make(choice.nodeName, volumeNameFor(claim));
    await client(persistentVolumes).create(localVolumeFor(claim, storageClass, node, path));
  } catch (error) {
    if (hasReason(error, 'AlreadyExists')) return done;
    fail(messageOf(error));
    throw error;
  }
  say('Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volumeNameFor(claim)}`);
  return done;
}

/** The scheduler looks for another node. */
async function chooseAgain({ client }: ControllerSetup, claim: Claim): Promise<void> {
  const { resourceVersion } = claim.metadata;
  const body = { metadata: { resourceVersion, annotations: { [selectedNodeAnnotation]: null } } };
  await ignoreNotFound(client(persistentVolumeClaims).patch(keyOf(claim), { type: 'merge', body }));
}

async function reclaim(key: ObjectKey, setup: ControllerSetup, directories: NodeDirectories): Promise<ReconcileResult> {
  const { lister, client, events } = setup;
  const volume = lister(persistentVolumes).find(key);
  if (volume === undefined) return done;
  const plan = planLocalVolume(volume);
  if (plan === 'nothing') return done;
  if (plan === 'removeDirectory') {
    const nodeName = volume.metadata.annotations?.[localVolumeNodeAnnotation] ?? '';
    try {
      // A node that has left the cluster has taken its directories with it.
      if (lister(nodes).find({ namespace: '', name: nodeName }) !== undefined) await directories.remove(nodeName, key.name);
    } catch (error) {
      events.event(referenceTo(persistentVolumes, volume), 'Warning', 'VolumeFailedDelete', messageOf(error));
      throw error;
    }
    if (volume.metadata.deletionTimestamp === undefined) await ignoreNotFound(client(persistentVolumes).delete(key));
  }
  await letGo(setup, volume);
  return done;
}

async function letGo({ client }: ControllerSetup, volume: Volume): Promise<void> {
  const fresh = await ignoreNotFound(client(persistentVolumes).get(keyOf(volume)));
  if (fresh === undefined || fresh.metadata.uid !== volume.metadata.uid) return;
  const finalizers = (fresh.metadata.finalizers ?? []).filter((one) => one !== localVolumeFinalizer);
  await ignoreNotFound(client(persistentVolumes).update({ ...fresh, metadata: { ...fresh.metadata, finalizers } }));
}
