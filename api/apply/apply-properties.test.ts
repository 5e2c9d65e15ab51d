import assert from 'node:assert/strict';
import fc from 'fast-check';
import { deepFreeze } from '../base/testing/deep-freeze.ts';
import { StatusError } from '../meta/status.ts';
import { decode } from '../schema/decode.ts';
import { getDefinitionSchema } from '../schema/definition-schema.ts';
import { fuzzRuns } from '../schema/testing/fuzz-runs.ts';
import { applyPatch } from './apply-patch.ts';
import { emptyObject, type AppliedObject, updateManagedFields } from './update-managed-fields.ts';
import { convertNow, noOtherVersion } from './versions.ts';
import { compareObjects } from './compare.ts';
import { type FieldSet, parseFieldSet, pathsOf } from './field-set.ts';
import { mergeValues } from './merge-values.ts';
import { removeItems } from './remove-items.ts';
import { toFieldSet } from './to-field-set.ts';

type JSONObject = Record<string, unknown>;

const schema = getDefinitionSchema('io.k8s.api.core.v1.Service');
const now = '2024-01-01T00:00:00Z';
const runs = fuzzRuns(300, 20_000);

/** Services with a map, a set, an atomic map and a list of maps: the four ways in which values are merged. */
const anyService = fc
  .record(
    {
      labels: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), { maxKeys: 2 }),
      finalizers: fc.uniqueArray(fc.constantFrom('f/1', 'f/2', 'f/3')),
      selector: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), { maxKeys: 2 }),
      ports: fc.uniqueArray(
        fc.record(
          { port: fc.constantFrom(80, 443), protocol: fc.constantFrom('TCP', 'UDP'), name: fc.constantFrom('x', 'y') },
          { requiredKeys: ['port', 'protocol'] },
        ),
        { selector: ({ port, protocol }) => `${port}/${protocol}` },
      ),
    },
    { requiredKeys: [] },
  )
  .map(({ labels, finalizers, ...spec }) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'x', ...(labels && { labels }), ...(finalizers && { finalizers }) },
    ...(Object.keys(spec).length > 0 && { spec }),
  }));

/**
 * Leaves out empty maps and lists. When a map that is owned as a whole is emptied, it is removed from the object but not from its managers,
 * so an empty one counts as new each time it is applied; upstream does the same.
 */
const anyFilledService = anyService.filter((service) => !/:(?:\{\}|\[\])/.test(JSON.stringify(service)));

const operation = fc.record({
  verb: fc.constantFrom('apply' as const, 'force' as const, 'update' as const),
  manager: fc.constantFrom('a', 'b', 'c'),
  service: anyService,
});

function store(object: JSONObject): AppliedObject {
  return deepFreeze(decode(object, schema).object) as AppliedObject;
}

function run(
  live: AppliedObject | undefined,
  { verb, manager, service }: { verb: string; manager: string; service: JSONObject },
): AppliedObject | undefined {
  if (verb === 'update') {
    const updated = store(service);
    const steps = updateManagedFields({ schema, apiVersion: 'v1', live, updated, manager, now });
    const managedFields = convertNow(steps, noOtherVersion);
    return store({ ...updated, metadata: { ...updated.metadata, ...(managedFields && { managedFields }) } });
  }
  const request = { schema, apiVersion: 'v1', kind: 'Service', live, applied: service, manager, now };
  try {
    return store(convertNow(applyPatch({ ...request, force: verb === 'force' }), noOtherVersion));
  } catch (error) {
    assert.ok(error instanceof StatusError && error.reason === 'Conflict', String(error));
    return live;
  }
}

function ownersOf(object: AppliedObject | undefined): readonly { manager?: string; operation?: string; fieldsV1?: object | null }[] {
  return object?.metadata.managedFields ?? [];
}

describe('apply, whatever happens', function () {
  this.timeout(3_600_000);
  it('leaves owners that own what is there, in canonical form', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 8 }), (operations) => {
        let live: AppliedObject | undefined;
        for (const step of operations) {
          live = run(live, deepFreeze(step) as typeof step);
          if (live === undefined) continue;
          const present = compareObjects(schema, emptyObject(schema), live)?.added ?? {};
          const paths = new Set([...pathsOf(present)].map((path) => path.join(' ')));
          for (const { fieldsV1 } of ownersOf(live)) {
            const fields = fieldsV1 as FieldSet;
            assert.equal(JSON.stringify(parseFieldSet(fields)), JSON.stringify(fields));
            for (const path of pathsOf(fields)) {
              // An empty list or map that was applied is owned and not stored.
              const isStored = paths.has(path.join(' '));
              assert.ok(
                isStored || ['f:labels', 'f:finalizers', 'f:selector', 'f:ports', 'f:spec'].includes(path.at(-1) ?? ''),
                path.join(' '),
              );
            }
          }
        }
      }),
      { numRuns: runs },
    );
  });

  it('applied again changes nothing', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 5 }), anyFilledService, (operations, service) => {
        const before = operations.reduce<AppliedObject | undefined>((live, step) => run(live, step), undefined);
        const once = run(before, { verb: 'force', manager: 'a', service });
        assert.deepEqual(run(once, { verb: 'force', manager: 'a', service }), once);
        assert.deepEqual(run(once, { verb: 'apply', manager: 'a', service }), once);
      }),
      { numRuns: runs },
    );
  });

  it('what is applied is there, and leaves with its only owner', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 5 }), anyService, (operations, service) => {
        const before = operations.reduce<AppliedObject | undefined>((live, step) => run(live, step), undefined);
        const applied = run(before, { verb: 'force', manager: 'z', service });
        assert.ok(applied);
        const whole = mergeValues(schema, applied, service) as JSONObject;
        assert.equal(compareObjects(schema, applied, store(whole)), undefined);
        const emptied = run(applied, {
          verb: 'force',
          manager: 'z',
          service: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' } },
        });
        assert.equal(
          ownersOf(emptied).some(({ manager }) => manager === 'z'),
          false,
        );
      }),
      { numRuns: runs },
    );
  });

  it('merging and removing agree with comparing', () => {
    fc.assert(
      fc.property(anyService, anyService, (live, applied) => {
        const merged = mergeValues(schema, live, applied) as JSONObject;
        assert.deepEqual(mergeValues(schema, merged, applied), merged);
        const changes = compareObjects(schema, live, merged);
        assert.equal([...pathsOf(changes?.removed ?? {})].length, 0);
        const rest = (removeItems(schema, merged, toFieldSet(schema, applied)) ?? {}) as JSONObject;
        const left = toFieldSet(schema, rest);
        for (const path of pathsOf(toFieldSet(schema, applied))) {
          assert.equal(
            [...pathsOf(left)].some((other) => other.join(' ') === path.join(' ')),
            false,
            path.join(' '),
          );
        }
      }),
      { numRuns: runs },
    );
  });
});
