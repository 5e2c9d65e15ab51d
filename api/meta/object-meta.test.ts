import assert from 'node:assert/strict';
import { formatFieldErrors } from '../validation/field-error.ts';
import { FieldPath } from '../validation/field-path.ts';
import { nameIsDNSSubdomain } from '../validation/names.ts';
import { type ObjectMetaLike, validateFinalizerOwners, validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';
import { validateDeleteOptions, validatePatchOptions } from '../validation/request-options.ts';

const at = FieldPath.root.child('metadata');
const old: ObjectMetaLike = {
  name: 'a',
  namespace: 'n',
  uid: 'u',
  resourceVersion: '5',
  generation: 2,
  creationTimestamp: '2024-01-01T00:00:00Z',
};

describe('object metadata', () => {
  const creations: [ObjectMetaLike, string][] = [
    [{ name: 'a', namespace: 'n' }, ''],
    [{ namespace: 'n' }, 'metadata.name: Required value: name or generateName is required'],
    [{ name: 'a' }, 'metadata.namespace: Required value'],
    [
      { name: 'a', namespace: 'n', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '' }] },
      'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
    ],
    [
      { name: 'a', namespace: 'n', finalizers: ['orphan', 'foregroundDeletion'] },
      'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    ],
  ];
  for (const [meta, expected] of creations) {
    it(`create: ${expected || 'valid'}`, () =>
      assert.equal(formatFieldErrors(validateObjectMeta(meta, true, nameIsDNSSubdomain, at)), expected));
  }
  it('names of the wrong form', () => {
    const [error] = validateObjectMeta({ name: 'A_b' }, false, nameIsDNSSubdomain, at);
    assert.match(error?.detail ?? '', /^a lowercase RFC 1123 subdomain/);
  });

  const updates: [ObjectMetaLike, string][] = [
    [old, ''],
    [{ ...old, resourceVersion: '' }, 'metadata.resourceVersion: Invalid value: "": must be specified for an update'],
    [{ ...old, uid: 'v' }, 'metadata.uid: Invalid value: "v": field is immutable'],
    [{ ...old, generation: 1 }, 'metadata.generation: Invalid value: 1: must not be decremented'],
    [
      { ...old, managedFields: [{ manager: 'm', operation: 'Rewrite' }] },
      'metadata.managedFields[0].operation: Unsupported value: "Rewrite": supported values: "Apply", "Update"',
    ],
  ];
  for (const [meta, expected] of updates) {
    it(`update: ${expected || 'valid'}`, () => assert.equal(formatFieldErrors(validateObjectMetaUpdate(meta, old, at)), expected));
  }
  it('tells whose a finalizer is', () =>
    assert.equal(
      formatFieldErrors(validateFinalizerOwners(['kubernetes', 'example.com/x', 'foo', 'orphan'], at.child('finalizers'))),
      'metadata.finalizers[2]: Invalid value: "foo": name is neither a standard finalizer name nor is it fully qualified',
    ));
  it('has the names of its finalizers checked when it is updated, too', () => {
    const errors = formatFieldErrors(validateObjectMetaUpdate({ ...old, finalizers: [''] }, old, at));
    assert.match(errors, /metadata\.finalizers: Invalid value: "": name part must be non-empty/);
  });

  it('takes no new finalizers while being deleted', () => {
    const deleting = { ...old, deletionTimestamp: '2024-01-02T00:00:00Z', finalizers: ['a/b'] };
    assert.equal(
      formatFieldErrors(validateObjectMetaUpdate({ ...deleting, finalizers: ['a/b', 'a/c'] }, deleting, at)),
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/c"}',
    );
  });
});

describe('request options', () => {
  it('apply needs a manager, others cannot be forced', () => {
    assert.equal(formatFieldErrors(validatePatchOptions({}, true)), 'fieldManager: Required value: is required for apply patch');
    assert.equal(
      formatFieldErrors(validatePatchOptions({ force: true }, false)),
      'force: Forbidden: may not be specified for non-apply patch',
    );
    assert.equal(
      formatFieldErrors(validatePatchOptions({ dryRun: ['Some'] }, false)),
      'dryRun: Unsupported value: ["Some"]: supported values: "All"',
    );
    assert.equal(
      formatFieldErrors(validatePatchOptions({ fieldManager: 'a\u0001' }, false)),
      'fieldManager: Invalid value: "a\\x01": invalid character U+0001 (at position 1)',
    );
  });
  it('deletion policies', () => {
    assert.equal(
      formatFieldErrors(validateDeleteOptions({ propagationPolicy: 'x' })),
      'propagationPolicy: Unsupported value: "x": supported values: "Foreground", "Background", "Orphan", "nil"',
    );
  });
});
