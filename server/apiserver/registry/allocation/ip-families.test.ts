import assert from 'node:assert/strict';
import type { ServiceSpec } from '../../../../api/types/core-v1.ts';
import { formatFieldErrors } from '../../../../api/validation/field-error.ts';
import { FieldPath } from '../../../../api/validation/field-path.ts';
import { planIPFamilies } from './ip-families.ts';

type Case = readonly [title: string, spec: ServiceSpec, expected: string, old?: ServiceSpec];

const selector = { a: 'b' };
const headless: ServiceSpec = { clusterIP: 'None', clusterIPs: ['None'] };
const four: ServiceSpec = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] };
const both: ServiceSpec = { type: 'ClusterIP', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', 'fd00::1'], ipFamilies: ['IPv4', 'IPv6'] };
const single: ServiceSpec = { type: 'ClusterIP', ...four, ipFamilies: ['IPv4'] };

/** Either `policy families addresses`, or what is wrong. */
function outcome(spec: ServiceSpec, old: ServiceSpec | undefined, configured: readonly string[]): string {
  const wanted = structuredClone(spec);
  const errors = planIPFamilies(wanted, old, configured, FieldPath.root.child('spec'));
  if (errors.length > 0) return formatFieldErrors(errors);
  const { ipFamilyPolicy, ipFamilies, clusterIPs } = wanted;
  return [ipFamilyPolicy, ipFamilies?.join(), clusterIPs?.join()].filter((part) => part !== undefined).join(' ');
}

const ofPolicy = (policy: string, message: string) => `spec.ipFamilyPolicy: Invalid value: "${policy}": ${message}`;

describe('families of Services', () => {
  const oneFamily: readonly Case[] = [
    ['default', { selector }, 'SingleStack IPv4'],
    ['of the address', { selector, ...four }, 'SingleStack IPv4 10.0.0.1'],
    ['preferred', { selector, ipFamilyPolicy: 'PreferDualStack' }, 'PreferDualStack IPv4'],
    ['headless without selector', headless, 'RequireDualStack IPv4,IPv6 None'],
    ['headless without selector, one family', { ...headless, ipFamilyPolicy: 'SingleStack' }, 'SingleStack IPv4 None'],
    ['headless with selector', { ...headless, selector }, 'SingleStack IPv4 None'],
    ['external', { type: 'ExternalName' }, ''],
    [
      'required',
      { selector, ipFamilyPolicy: 'RequireDualStack' },
      ofPolicy('RequireDualStack', 'this cluster is not configured for dual-stack services'),
    ],
    ['another family', { selector, ipFamilies: ['IPv6'] }, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
    [
      "another family's address",
      { selector, clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] },
      'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
    ],
  ];
  const twoFamilies: readonly Case[] = [
    ['default', { selector }, 'SingleStack IPv4'],
    ['the other', { selector, ipFamilies: ['IPv6'] }, 'SingleStack IPv6'],
    ['preferred', { selector, ipFamilyPolicy: 'PreferDualStack' }, 'PreferDualStack IPv4,IPv6'],
    ['preferred, the other first', { selector, ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv6'] }, 'PreferDualStack IPv6,IPv4'],
    ['required, one address', { selector, ipFamilyPolicy: 'RequireDualStack', ...four }, 'RequireDualStack IPv4,IPv6 10.0.0.1'],
    [
      'two without saying so',
      { selector, ipFamilies: ['IPv4', 'IPv6'] },
      ofPolicy('SingleStack', "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"),
    ],
    [
      'two addresses without saying so',
      { selector, clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', 'fd00::1'] },
      ofPolicy('SingleStack', "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified"),
    ],
    ['headless without selector', headless, 'RequireDualStack IPv4,IPv6 None'],
    [
      'a second one later',
      { ...single, selector, ipFamilyPolicy: 'PreferDualStack' },
      'PreferDualStack IPv4,IPv6 10.0.0.1',
      { ...single, ipFamilyPolicy: 'SingleStack' },
    ],
    [
      'one less',
      { ...both, selector, ipFamilyPolicy: 'SingleStack' },
      'SingleStack IPv4 10.0.0.1',
      { ...both, ipFamilyPolicy: 'PreferDualStack' },
    ],
    [
      'one less without saying so',
      { ...both, ...four, selector, ipFamilyPolicy: 'PreferDualStack' },
      ofPolicy('PreferDualStack', "must be 'SingleStack' to release the secondary cluster IP"),
      { ...both, ipFamilyPolicy: 'PreferDualStack' },
    ],
    [
      'as before where nothing is asked for',
      { ...single, selector, ipFamilyPolicy: 'PreferDualStack' },
      'PreferDualStack IPv4 10.0.0.1',
      { ...single, ipFamilyPolicy: 'PreferDualStack' },
    ],
    [
      'the policy of before',
      { ...both, selector },
      'RequireDualStack IPv4,IPv6 10.0.0.1,fd00::1',
      { ...both, ipFamilyPolicy: 'RequireDualStack' },
    ],
  ];
  for (const [title, spec, expected, old] of oneFamily)
    it(`of a cluster of one: ${title}`, () => assert.equal(outcome(spec, old, ['IPv4']), expected));
  for (const [title, spec, expected, old] of twoFamilies)
    it(`of a cluster of two: ${title}`, () => assert.equal(outcome(spec, old, ['IPv4', 'IPv6']), expected));
});
