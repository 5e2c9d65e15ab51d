import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { clusterRoles } from '../../../api/resources/rbac/v1/cluster-role.ts';
import type { ClusterRole } from '../../../api/types/rbac-v1.ts';
import { defineController, done, watching } from '../runtime/define-controller.ts';
import { aggregatedRules } from './aggregated-rules.ts';
import { rules } from './rbac.ts';

/** Fills ClusterRoles that are made up of others (admin, edit, view) with the rules of those. */
export const clusterRoleAggregation = defineController({
  name: 'clusterrole-aggregation-controller',
  account: 'clusterrole-aggregation-controller',
  for: clusterRoles,
  watches: [
    // Any role may be part of any other.
    watching(clusterRoles, (_role, { lister }) =>
      lister(clusterRoles)
        .list({ matches: (role) => role.aggregationRule !== undefined })
        .map(keyOf),
    ),
  ],
  rules,
  async reconcile(key, { lister, client }) {
    const role = lister(clusterRoles).find(key);
    if (role?.aggregationRule === undefined) return done;
    const wanted = aggregatedRules(role, lister(clusterRoles).list());
    if (isSemanticallyEqual(wanted, role.rules ?? [])) return done;
    const copy = mutableCopy<ClusterRole>(role);
    copy.rules = mutableCopy<NonNullable<ClusterRole['rules']>>(wanted);
    await ignoreNotFound(client(clusterRoles).update(copy));
    return done;
  },
});
