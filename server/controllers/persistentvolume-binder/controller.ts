import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { storageClasses } from '../../../api/resources/storage/v1/storage-class.ts';
import { storageClassOf } from '../../../api/semantics/storage/persistent-volumes.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import { usesClaim } from '../../../api/semantics/pods/pod-claims.ts';
import { namesStorageClass } from '../../../api/semantics/storage/storage-classes.ts';
import { betaStorageProvisionerAnnotation, storageProvisionerAnnotation } from '../../../api/semantics/storage/volume-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import type { StorageClass } from '../../../api/types/storage-v1.ts';
import {
  type ControllerDependencies,
  type ControllerSetup,
  defineController,
  done,
  type ReconcileResult,
  requeueAfterSeconds,
  watching,
} from '../runtime/define-controller.ts';
import { messageOf } from '../runtime/pod-control.ts';
import { type ClaimPlan, type EventText, planClaim } from './claim-plan.ts';
import { rules } from './rbac.ts';
import { findReclaimFailure, planVolume } from './volume-plan.ts';
import { bind, setClaimStatus, setVolumePhase, unbind } from './write-binding.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;
type Volume = DeepReadonly<PersistentVolume>;

/** Claims without a volume, by their class; those that name none are under a value that no class can have. */
const openIndex = 'open claims by class';
const anyClass = '*';

/** A pending claim is checked again after this time, and its user is told again why it waits. */
const againSeconds = 15;

/** Binds claims to volumes, asks provisioners for volumes, and treats released volumes by their policy. Keys without a namespace are volumes. */
export const persistentVolumeBinder = defineController({
  name: 'persistentvolume-binder-controller',
  account: 'persistent-volume-binder',
  component: 'persistentvolume-controller',
  for: persistentVolumeClaims,
  reads: [pods],
  watches: [
    watching(persistentVolumeClaims, ({ spec }) => (spec?.volumeName ? [volumeKey(spec.volumeName)] : [])),
    watching(persistentVolumes, concernedByVolume),
    watching(storageClasses, concernedByClass),
  ],
  // One worker: two claims handled at the same time could choose the same volume.
  workers: 1,
  rules,
  setUp(setup) {
    setup.informer(persistentVolumeClaims).addIndex(openIndex, (claim) => {
      if (claim.spec?.volumeName) return [];
      return [namesStorageClass(claim) ? storageClassOf(claim) : anyClass];
    });
    return (key) => (key.namespace === '' ? reconcileVolume(key, setup) : reconcileClaim(key, setup));
  },
});

function volumeKey(name: string): ObjectKey {
  return { namespace: '', name };
}

function concernedByVolume(volume: Volume, { lister }: ControllerDependencies): ObjectKey[] {
  const keys = [keyOf(volume)];
  const { claimRef } = volume.spec ?? {};
  if (claimRef?.name !== undefined) keys.push({ namespace: claimRef.namespace ?? '', name: claimRef.name });
  else if (volume.status?.phase === 'Available') {
    const className = storageClassOf(volume);
    const open = lister(persistentVolumeClaims).byIndex(openIndex, className === '' ? anyClass : className);
    keys.push(...open.map(keyOf));
    if (className === '') keys.push(...lister(persistentVolumeClaims).byIndex(openIndex, '').map(keyOf));
  }
  return keys;
}

function concernedByClass({ metadata: { name = '' } }: DeepReadonly<StorageClass>, { lister }: ControllerDependencies): ObjectKey[] {
  const claims = lister(persistentVolumeClaims);
  return [...claims.byIndex(openIndex, name), ...claims.byIndex(openIndex, anyClass)].map(keyOf);
}

async function reconcileClaim(key: ObjectKey, setup: ControllerSetup): Promise<ReconcileResult> {
  const { lister } = setup;
  const claim = lister(persistentVolumeClaims).find(key);
  if (claim === undefined) return done;
  const plan = planClaim(claim, {
    findVolume: (name) => lister(persistentVolumes).find(volumeKey(name)),
    volumes: () => lister(persistentVolumes).list(),
    findClass: (name) => lister(storageClasses).find({ namespace: '', name }),
    classes: () => lister(storageClasses).list(),
    waitingPods: () =>
      lister(pods)
        .list({ namespace: key.namespace, matches: (pod) => !isPodFinished(pod) && !pod.spec?.nodeName && usesClaim(pod, key.name) })
        .map(({ metadata }) => metadata.name ?? ''),
  });
  return performClaimPlan(claim, plan, setup);
}

async function performClaimPlan(claim: Claim, plan: ClaimPlan, { client, events }: ControllerSetup): Promise<ReconcileResult> {
  const say = ({ type, reason, message }: EventText) => events.event(referenceTo(persistentVolumeClaims, claim), type, reason, message);
  switch (plan.do) {
    case 'bind':
      await bind(client, plan.volume, claim);
      return done;
    case 'assignClass': {
      const changed = mutableCopy<PersistentVolumeClaim>(claim);
      changed.spec = { ...changed.spec, storageClassName: plan.className };
      await client(persistentVolumeClaims).update(changed);
      return done;
    }
    case 'provision':
      try {
        await nameProvisioner(client, claim, plan.provisioner);
      } catch (error) {
        say({ type: 'Warning', reason: 'ProvisioningFailed', message: `Error saving claim: ${messageOf(error)}` });
        throw error;
      }
      say({
        type: 'Normal',
        reason: 'ExternalProvisioning',
        message: `Waiting for a volume to be created either by the external provisioner '${plan.provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
      });
      return requeueAfterSeconds(againSeconds);
    case 'wait':
      if (plan.event !== undefined) say(plan.event);
      if (plan.isBroken) throw new Error(`claim "${claim.metadata.namespace}/${claim.metadata.name}": ${plan.event?.message}`);
      await setClaimStatus(client, claim, 'Pending');
      return requeueAfterSeconds(againSeconds);
    case 'lose':
      if (claim.status?.phase === 'Lost') return done;
      await setClaimStatus(client, claim, 'Lost');
      say(plan.event);
      return done;
  }
}

async function nameProvisioner(client: ControllerSetup['client'], claim: Claim, provisioner: string): Promise<void> {
  const { annotations } = claim.metadata;
  if (annotations?.[storageProvisionerAnnotation] === provisioner && annotations[betaStorageProvisionerAnnotation] === provisioner) return;
  const changed = mutableCopy<PersistentVolumeClaim>(claim);
  changed.metadata.annotations = {
    ...annotations,
    [storageProvisionerAnnotation]: provisioner,
    [betaStorageProvisionerAnnotation]: provisioner,
  };
  await client(persistentVolumeClaims).update(changed);
}

async function reconcileVolume(key: ObjectKey, setup: ControllerSetup): Promise<ReconcileResult> {
  const { client, lister, events } = setup;
  const volume = lister(persistentVolumes).find(key);
  if (volume === undefined) return done;
  const claim = await findClaimOf(volume, setup);
  const plan = planVolume(volume, claim);
  switch (plan.do) {
    case 'setPhase':
      await setVolumePhase(client, volume, plan.phase);
      return done;
    case 'release':
      await release(volume, setup);
      return done;
    case 'unbind':
      await unbind(client, volume);
      return done;
    case 'leaveToClaim':
      if (claim !== undefined) setup.enqueue(keyOf(claim));
      return done;
    case 'reportModes': {
      if (claim === undefined) return done;
      const rest = 'due to incompatible volumeMode.';
      const ofVolume = `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claim.metadata.name}" ${rest}`;
      events.event(referenceTo(persistentVolumes, volume), 'Warning', 'VolumeMismatch', ofVolume);
      const ofClaim = `Cannot bind PersistentVolume "${volume.metadata.name}" to requested PersistentVolumeClaim ${rest}`;
      events.event(referenceTo(persistentVolumeClaims, claim), 'Warning', 'VolumeMismatch', ofClaim);
      return done;
    }
  }
}

/** The cache may not yet show the claim for which a volume was made, so a claim counts as deleted only when the API says so. */
async function findClaimOf({ spec }: Volume, { client, lister }: ControllerSetup): Promise<Claim | undefined> {
  const reference = spec?.claimRef;
  if (!reference?.uid) return undefined;
  const key = { namespace: reference.namespace ?? '', name: reference.name ?? '' };
  const isIt = (claim: Claim | undefined) => claim?.metadata.uid === reference.uid;
  const cached = lister(persistentVolumeClaims).find(key);
  if (isIt(cached)) return cached;
  const fresh = await ignoreNotFound(client(persistentVolumeClaims).get(key));
  return isIt(fresh) ? fresh : undefined;
}

async function release(volume: Volume, { client, events }: ControllerSetup): Promise<void> {
  const isKnown = volume.status?.phase === 'Released' || volume.status?.phase === 'Failed';
  const released = isKnown ? volume : await setVolumePhase(client, volume, 'Released');
  const failure = findReclaimFailure(released);
  if (failure === undefined || released.status?.phase === 'Failed') return;
  await setVolumePhase(client, released, 'Failed', failure.message);
  events.event(referenceTo(persistentVolumes, released), failure.type, failure.reason, failure.message);
}
