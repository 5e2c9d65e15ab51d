/** An annotation of claims: the binding was completed once, so later changes of the volume cannot make the claim pending again. */
export const bindCompletedAnnotation = 'pv.kubernetes.io/bind-completed';
/** On claims and volumes: the link to the other was made by the control plane and not by a user, who might want it kept. */
export const boundByControllerAnnotation = 'pv.kubernetes.io/bound-by-controller';
/** On claims: the node that the scheduler has chosen for the first Pod; provisioners make the volume for it. */
export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
/** On claims: who is to make the volume. */
export const storageProvisionerAnnotation = 'volume.kubernetes.io/storage-provisioner';
export const betaStorageProvisionerAnnotation = 'volume.beta.kubernetes.io/storage-provisioner';
/** On volumes: who made them, and is to remove them. */
export const provisionedByAnnotation = 'pv.kubernetes.io/provisioned-by';
/** On volumes: the size before an expansion whose file system has not grown yet. */
export const preResizeCapacityAnnotation = 'volume.alpha.kubernetes.io/pre-resize-capacity';
/** Keeps a claim while Pods use it. */
export const claimProtectionFinalizer = 'kubernetes.io/pvc-protection';
/** Keeps a volume while it is bound to a claim. */
export const volumeProtectionFinalizer = 'kubernetes.io/pv-protection';
/** Keeps a VolumeAttributesClass while claims or volumes name it. */
export const attributesClassProtectionFinalizer = 'kubernetes.io/vac-protection';
