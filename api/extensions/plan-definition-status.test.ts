import assert from 'node:assert/strict';
import type { CustomResourceDefinition } from '../types/apiextensions-v1.ts';
import { planDefinitionStatus } from './plan-definition-status.ts';

const nowMs = Date.UTC(2026, 0, 1);
const lastTransitionTime = '2026-01-01T00:00:00Z';
const names = { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', listKind: 'CronTabList', shortNames: ['ct'] };

function define(changes: { names?: object; status?: object; group?: string; annotations?: Record<string, string>; spec?: object }) {
  const { names: own = {}, status, group = 'stable.example.com', annotations, spec = {} } = changes;
  const all = { ...names, ...own };
  return {
    metadata: { name: `${all.plural}.${group}`, ...(annotations ? { annotations } : {}) },
    spec: { group, scope: 'Namespaced', names: all, versions: [], ...spec },
    ...(status ? { status } : {}),
  } as CustomResourceDefinition;
}

const accepted = { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found', lastTransitionTime };
const established = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
  lastTransitionTime,
};
const isServed = { acceptedNames: names, conditions: [accepted, established], storedVersions: ['v1'] };
const other = define({ names: { plural: 'crons', singular: 'cron', shortNames: ['cr'] }, status: isServed });

describe('the status of a CustomResourceDefinition', () => {
  it('accepts names that are free and establishes the kind', () => {
    const status = planDefinitionStatus(define({ status: { storedVersions: ['v1'] } }), [], nowMs);
    assert.deepEqual(status, isServed);
  });

  it('leaves what is as it should be', () => {
    assert.equal(planDefinitionStatus(define({ status: isServed }), [], nowMs + 1000), undefined);
  });

  const conflicts: [string, object, object, string, string][] = [
    ['a plural', { plural: 'crons' }, { plural: 'crons' }, 'PluralConflict', '"crons" is already in use'],
    ['a plural that is a short name', { plural: 'cr' }, { shortNames: ['cr'] }, 'PluralConflict', '"cr" is already in use'],
    ['a singular', { singular: 'cron' }, { singular: 'cron' }, 'SingularConflict', '"cron" is already in use'],
    ['a short name', { shortNames: ['a', 'cr'] }, { shortNames: ['cr'] }, 'ShortNamesConflict', '"cr" is already in use'],
    [
      'short names',
      { shortNames: ['a', 'b'] },
      { shortNames: ['a', 'b'] },
      'ShortNamesConflict',
      '["a" is already in use, "b" is already in use]',
    ],
    ['a kind', { kind: 'Cron' }, { kind: 'Cron' }, 'KindConflict', '"Cron" is already in use'],
    ['a kind that is a list', { kind: 'Crons' }, { listKind: 'Crons' }, 'KindConflict', '"Crons" is already in use'],
    ['a list', { listKind: 'Crons' }, { listKind: 'Crons' }, 'ListKindConflict', '"Crons" is already in use'],
  ];
  for (const [what, wanted, taken, reason, message] of conflicts) {
    it(`refuses ${what} of another definition of the group`, () => {
      const rival = define({ names: { plural: 'rivals' }, status: { acceptedNames: { plural: 'rivals', kind: 'Rival', ...taken } } });
      const status = planDefinitionStatus(define({ names: wanted }), [rival], nowMs);
      assert.deepEqual(status?.conditions?.[0], { type: 'NamesAccepted', status: 'False', reason, message, lastTransitionTime });
      const notAccepted = { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
      assert.deepEqual(status?.conditions?.[1], { ...notAccepted, lastTransitionTime });
    });
  }

  it('takes names of other groups', () => {
    const rival = define({ group: 'example.org', status: isServed });
    assert.equal(planDefinitionStatus(define({}), [rival], nowMs)?.conditions?.[1]?.status, 'True');
  });

  it('keeps a kind established whose new names are taken, and its former names', () => {
    const rival = define({ names: { plural: 'rivals' }, status: { acceptedNames: { plural: 'rivals', kind: 'R', shortNames: ['new'] } } });
    const status = planDefinitionStatus(define({ names: { shortNames: ['new'] }, status: isServed }), [rival, other], nowMs);
    assert.deepEqual(status?.acceptedNames, names);
    assert.equal(status?.conditions?.[0]?.reason, 'ShortNamesConflict');
    assert.deepEqual(status?.conditions?.[1], established);
  });

  it('accepts names as soon as they are free', () => {
    const refused = { acceptedNames: { plural: '', kind: '' }, conditions: [{ ...accepted, status: 'False', reason: 'KindConflict' }] };
    assert.deepEqual(planDefinitionStatus(define({ status: refused }), [], nowMs)?.conditions, [accepted, established]);
  });

  const policy = 'see https://github.com/kubernetes/enhancements/pull/1111';
  const required = 'protected groups must have approval annotation "api-approved.kubernetes.io"';
  const approvals: [string, string | undefined, string, string, string][] = [
    ['no annotation', undefined, 'False', 'MissingAnnotation', `${required}, ${policy}`],
    ['a URL', 'https://example.com/pull/1', 'True', 'ApprovedAnnotation', 'approved in https://example.com/pull/1'],
    ['a reason', 'unapproved, an experiment', 'False', 'UnapprovedAnnotation', 'not approved: "unapproved, an experiment"'],
    [
      'anything else',
      'yes',
      'False',
      'InvalidAnnotation',
      `${required} with either a URL or a reason starting with "unapproved", ${policy}`,
    ],
  ];
  for (const [what, value, status, reason, message] of approvals) {
    it(`tells of the approval of a group of the community with ${what}`, () => {
      const annotations = value === undefined ? {} : { 'api-approved.kubernetes.io': value };
      const planned = planDefinitionStatus(define({ group: 'x.k8s.io', annotations }), [], nowMs);
      assert.deepEqual(planned?.conditions?.[2], {
        type: 'KubernetesAPIApprovalPolicyConformant',
        status,
        reason,
        message,
        lastTransitionTime,
      });
    });
  }

  it('tells of unknown fields that are kept throughout, and forgets it', () => {
    const kept = planDefinitionStatus(define({ spec: { preserveUnknownFields: true }, status: isServed }), [], nowMs);
    assert.equal(kept?.conditions?.[2]?.message, 'spec.preserveUnknownFields: Invalid value: true: must be false');
    assert.deepEqual(planDefinitionStatus(define({ status: kept ?? {} }), [], nowMs), isServed);
  });
});
