import type { CheckFacts } from '../check-facts.ts';
import { type CheckItem, fail, manual, notJudged, pass, warn } from '../check-item.ts';
import { bySettings, textOf } from '../setting-judges.ts';
import { leakyRules } from './api-server.ts';

const unlessCluster = (judge: (cluster: NonNullable<CheckFacts['cluster']>) => ReturnType<CheckItem['judge']>): CheckItem['judge'] => {
  return ({ cluster }) =>
    cluster ? judge(cluster) : notJudged('the objects of the cluster could not be read', 'start kubets and check again');
};

const important = ['secrets', 'configmaps', 'tokenreviews', 'pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy', 'services/proxy'];

/** Section 3. */
export const controlPlaneConfiguration: readonly CheckItem[] = [
  {
    ...{ id: '3.1.1', title: 'Users do not come in with client certificates' },
    judge: bySettings((settings) => {
      const hasOther = textOf(settings, 'authenticationConfig') !== undefined || textOf(settings, 'oidcIssuerUrl') !== undefined;
      const advice = 'certificates cannot be revoked: keep those of the administrator for emergencies, and let users come in by OIDC';
      return hasOther
        ? manual('there is another way in for users; who still has a certificate is not written down anywhere', advice)
        : manual('client certificates and tokens are the only ways in', advice);
    }),
  },
  {
    ...{ id: '3.1.2', title: 'Users do not come in with tokens of ServiceAccounts' },
    judge: unlessCluster(({ tokenSecrets }) =>
      tokenSecrets.length === 0
        ? pass('no Secret holds a token that never expires')
        : warn('Secrets hold tokens that never expire', 'use kubectl create token, and delete these Secrets', { evidence: tokenSecrets }),
    ),
  },
  {
    ...{ id: '3.1.3', title: 'Users do not come in with bootstrap tokens' },
    judge: unlessCluster(({ bootstrapTokens }) =>
      bootstrapTokens.length === 0
        ? pass('there is no bootstrap token')
        : manual('there are bootstrap tokens, for machines that join', 'kubets token delete ID removes those that no machine waits for', {
            evidence: bootstrapTokens,
          }),
    ),
  },
  {
    ...{ id: '3.2.1', title: 'There is an audit policy' },
    judge: bySettings((settings) => {
      const file = textOf(settings, 'auditPolicyFile');
      if (file === undefined) return fail('there is no audit policy', '--audit-policy-file; docs/audit.md has one');
      return settings.auditRules && settings.auditRules.some(({ level }) => level !== 'None')
        ? pass('the policy records requests', { evidence: [file, `${settings.auditRules.length} rules`] })
        : fail('the policy records nothing, or cannot be read', `see ${file}`);
    }),
  },
  {
    ...{ id: '3.2.2', title: 'The audit policy covers what matters' },
    judge: bySettings(({ auditRules }) => {
      if (!auditRules) return warn('there is no audit policy', 'see 3.2.1');
      const leaky = leakyRules(auditRules);
      if (leaky.length > 0)
        return fail('the policy writes the content of Secrets, ConfigMaps or tokens into the log', 'record these at the level Metadata', {
          evidence: leaky.map(({ level, resources }) => `${level}: ${resources.join()}`),
        });
      const recorded = auditRules.filter(({ level }) => level !== 'None');
      const coversAll = recorded.some(({ resources }) => resources.length === 0);
      const missing = important.filter((one) => !recorded.some(({ resources }) => resources.includes(one)));
      return coversAll || missing.length === 0
        ? pass('requests for Secrets, ConfigMaps and tokens are recorded without their content, and connections into Pods are recorded')
        : warn('the policy does not name all that matters', 'add rules for them at the level Metadata', { evidence: missing });
    }),
  },
];
