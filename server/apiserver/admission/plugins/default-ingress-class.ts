import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { findTime } from '../../../../api/meta/time.ts';
import { ingressClasses } from '../../../../api/resources/networking/v1/ingress-class.ts';
import { ingresses } from '../../../../api/resources/networking/v1/ingress.ts';
import type { IngressClass } from '../../../../api/types/networking-v1.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject } from '../admission-request.ts';

const classAnnotation = 'kubernetes.io/ingress.class';
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';

/** Gives the default IngressClass to a new Ingress that names none; of several defaults the newest. */
export const defaultIngressClass = defineAdmissionPlugin({
  name: 'DefaultIngressClass',
  operations: ['CREATE'],
  resources: [ingresses],
  reads: [ingressClasses],
  async admit(request, { lister }) {
    const ingress = newObject(request, ingresses);
    if (!ingress || ingress.spec?.ingressClassName !== undefined || ingress.metadata.annotations?.[classAnnotation] !== undefined) return;
    const isDefault = ({ metadata }: DeepReadonly<IngressClass>) => metadata.annotations?.[defaultAnnotation] === 'true';
    const [chosen] = lister(ingressClasses).list({ matches: isDefault }).sort(newestFirst);
    if (chosen?.metadata.name !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: chosen.metadata.name };
  },
});

function newestFirst({ metadata: a }: DeepReadonly<IngressClass>, { metadata: b }: DeepReadonly<IngressClass>): number {
  const byAge = (findTime(b.creationTimestamp) ?? 0) - (findTime(a.creationTimestamp) ?? 0);
  return byAge !== 0 ? byAge : (a.name ?? '') < (b.name ?? '') ? -1 : 1;
}
