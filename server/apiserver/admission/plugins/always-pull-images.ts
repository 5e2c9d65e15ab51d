import { pods } from '../../../../api/resources/core/v1/pod.ts';
import type { Container, Pod } from '../../../../api/types/core-v1.ts';
import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { describeFieldErrors, formatShownErrors, notSupported } from '../../../../api/validation/field-error.ts';
import { FieldPath } from '../../../../api/validation/field-path.ts';
import { type AdmissionRequest, defineAdmissionPlugin } from '../admission.ts';
import { newObject, oldObject, refuse } from '../admission-request.ts';

/**
 * Has the images of every Pod pulled with the Pod's own credentials: without it, who knows the name of an image runs it on
 * a node that has it, without the right to pull it.
 */
export const alwaysPullImages = defineAdmissionPlugin({
  name: 'AlwaysPullImages',
  operations: ['CREATE', 'UPDATE'],
  resources: [pods],
  async admit(request) {
    const pod = findPod(request);
    for (const { container } of pod ? containersOf(pod) : []) container.imagePullPolicy = 'Always';
    for (const { image } of pod?.spec?.volumes ?? []) if (image) image.pullPolicy = 'Always';
  },
  async validate(request) {
    const pod = findPod(request);
    const errors = (pod ? containersOf(pod) : [])
      .filter(({ container }) => container.imagePullPolicy !== 'Always')
      .map(({ container, path }) => notSupported(path.child('imagePullPolicy'), container.imagePullPolicy ?? '', ['Always']));
    if (errors.length > 0) throw refuse(request, formatShownErrors(describeFieldErrors(errors)));
  },
});

/** The Pod of a request that brings images; undefined where all images have been in the Pod before. */
function findPod(request: AdmissionRequest): Pod | undefined {
  const pod = request.subresource === '' ? newObject(request, pods) : undefined;
  const before = pod && request.operation === 'UPDATE' ? oldObject(request, pods) : undefined;
  if (!pod || !before) return pod;
  const known = new Set(imagesOf(before));
  return imagesOf(pod).every((image) => known.has(image)) ? undefined : pod;
}

type AnyContainer = Pick<Container, 'image' | 'imagePullPolicy'>;

function containersOf({ spec }: Pod): { readonly container: AnyContainer; readonly path: FieldPath }[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    (spec?.[field] ?? []).map((container: AnyContainer, index) => ({ container, path: FieldPath.root.child('spec', field).index(index) })),
  );
}

function imagesOf({ spec }: DeepReadonly<Pod>): (string | undefined)[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])].map(({ image }) => image);
}
