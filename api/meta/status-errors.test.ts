import assert from 'node:assert/strict';
import { FieldPath } from '../validation/field-path.ts';
import { invalid as invalidField, required } from '../validation/field-error.ts';
import * as errors from './status-errors.ts';

const deployments = { group: 'apps', resource: 'deployments' };
const pods = { group: '', names: { plural: 'pods' } };

describe('status errors', () => {
  const cases: [string, () => { status: unknown }, unknown][] = [
    ['notFound', () => errors.notFound(pods, 'a'), [404, 'NotFound', 'pods "a" not found', { name: 'a', kind: 'pods' }]],
    [
      'alreadyExists',
      () => errors.alreadyExists(deployments, 'a'),
      [409, 'AlreadyExists', 'deployments.apps "a" already exists', { name: 'a', group: 'apps', kind: 'deployments' }],
    ],
    [
      'conflict',
      () => errors.conflict(pods, 'a'),
      [
        409,
        'Conflict',
        'Operation cannot be fulfilled on pods "a": the object has been modified; please apply your changes to the latest version and try again',
        { name: 'a', kind: 'pods' },
      ],
    ],
    [
      'forbidden, no name',
      () => errors.forbidden(pods, '', 'User "u" cannot list resource "pods" in API group "" in the namespace "n"'),
      [403, 'Forbidden', 'pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "n"', { kind: 'pods' }],
    ],
    ['forbidden, no resource', () => errors.forbidden(undefined, '', 'no'), [403, 'Forbidden', 'forbidden: no', {}]],
    [
      'methodNotAllowed',
      () => errors.methodNotAllowed(),
      [405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}],
    ],
    ['timeout', () => errors.timeout('slow', 3), [504, 'Timeout', 'Timeout: slow', { retryAfterSeconds: 3 }]],
    ['internal', () => errors.internalError('x'), [500, 'InternalError', 'Internal error occurred: x', { causes: [{ message: 'x' }] }]],
    ['unauthorized', () => errors.unauthorized(), [401, 'Unauthorized', 'not authorized', undefined]],
  ];
  for (const [name, make, expected] of cases) {
    it(name, () => {
      const { code, reason, message, details } = make().status as Record<string, unknown>;
      assert.deepEqual([code, reason, message, details], expected);
    });
  }

  it('invalid lists several fields, and repeated messages once', () => {
    const spec = FieldPath.root.child('spec');
    const bad = invalidField(spec.child('replicas'), -1, 'must be greater than or equal to 0');
    const { status } = errors.invalid({ group: 'apps', kind: 'Deployment' }, 'web', [bad, required(spec.child('selector')), bad]);
    assert.equal(
      status.message,
      'Deployment.apps "web" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, spec.selector: Required value]',
    );
    assert.equal(status.details?.causes?.length, 3);
    assert.deepEqual(status.details?.causes?.[1], { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.selector' });
    assert.equal(
      JSON.stringify(status).startsWith('{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"'),
      true,
    );
  });

  it('statusOf keeps a Status and wraps everything else', () => {
    const error = errors.notFound(pods, 'a');
    assert.equal(errors.statusOf(error), error.status);
    assert.deepEqual(errors.statusOf(new Error('boom')), {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'boom',
      code: 500,
    });
  });

  it('namespaceTerminating carries the cause controllers look for', () => {
    const error = errors.namespaceTerminating(pods, 'a', 'n');
    assert.equal(error.message, 'pods "a" is forbidden: unable to create new content in namespace n because it is being terminated');
    assert.equal(errors.hasCause(error, 'NamespaceTerminating'), true);
  });
});
