import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { defineController, done } from '../runtime/define-controller.ts';
import { nextStep, secondsOfStep } from './cluster-size.ts';
import { rules } from './rbac.ts';

const annotation = 'node.alpha.kubernetes.io/ttl';

/**
 * Tells kubelets, by an annotation on their Nodes, for how many seconds they may cache Secrets and ConfigMaps: longer in larger clusters.
 */
export const ttlController = defineController({
  name: 'ttl-controller',
  account: 'ttl-controller',
  for: nodes,
  rules,
  setUp({ lister, client, informer, enqueue }) {
    let step = 0;
    const recount = () => {
      const before = step;
      step = nextStep(lister(nodes).list().length, step);
      if (step === before) return;
      for (const { metadata } of lister(nodes).list()) enqueue({ namespace: '', name: metadata.name ?? '' });
    };
    informer(nodes).addHandler({ onAdd: recount, onDelete: recount });
    return async ({ name }) => {
      const node = lister(nodes).find({ namespace: '', name });
      const wanted = String(secondsOfStep(step));
      if (node === undefined || node.metadata.annotations?.[annotation] === wanted) return done;
      const body = { metadata: { annotations: { [annotation]: wanted } } };
      await ignoreNotFound(client(nodes).patch({ namespace: '', name }, { type: 'strategic', body }));
      return done;
    };
  },
});
