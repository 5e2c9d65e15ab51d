import assert from 'node:assert/strict';
import fc from 'fast-check';
import { StatusError } from '../meta/status.ts';
import { decode } from '../schema/decode.ts';
import { getDefinitionSchema } from '../schema/definition-schema.ts';
import { fuzzRuns } from '../schema/testing/fuzz-runs.ts';
import { applyPatch } from './apply-patch.ts';
import { type AppliedObject, updateManagedFields } from './update-managed-fields.ts';
import { convertNow, noOtherVersion } from './versions.ts';

type Data = Readonly<Record<string, string>>;

interface Operation {
  readonly verb: 'apply' | 'force' | 'update';
  readonly manager: string;
  readonly data: Data;
}

/** A model of an object's data and their owners by the rules of KEP-555 alone: who holds which key under which operation. */
class Model {
  data = new Map<string, string>();
  owners = new Map<string, Set<string>>();

  /**
   * The keys over which an apply conflicts; undefined if it succeeded. An object that exists and has no managers is modelled from its next
   * apply on, which gives all its fields to one manager.
   */
  run({ verb, manager, data }: Operation, isUnowned: boolean): readonly string[] | undefined {
    if (isUnowned && verb === 'update') {
      this.data = new Map(Object.entries(data));
      return undefined;
    }
    if (isUnowned) this.owners.set('before-first-apply Update', new Set(this.data.keys()));
    const conflicts = verb === 'update' ? this.#update(`${manager} Update`, data) : this.#apply(`${manager} Apply`, data, verb === 'force');
    if (isUnowned && conflicts) this.owners.delete('before-first-apply Update');
    return conflicts;
  }

  #apply(owner: string, data: Data, force: boolean): readonly string[] | undefined {
    const taken = Object.keys(data).filter(
      (key) => this.data.has(key) && this.data.get(key) !== data[key] && this.#othersOf(owner, key).length > 0,
    );
    if (taken.length > 0 && !force) return taken.toSorted();
    for (const key of taken) for (const other of this.#othersOf(owner, key)) this.owners.get(other)?.delete(key);
    const former = this.owners.get(owner) ?? new Set();
    this.owners.set(owner, new Set(Object.keys(data)));
    for (const key of former) if (!(key in data) && this.#othersOf('', key).length === 0) this.data.delete(key);
    for (const [key, value] of Object.entries(data)) this.data.set(key, value);
    return undefined;
  }

  #update(owner: string, data: Data): undefined {
    for (const key of new Set([...this.data.keys(), ...Object.keys(data)])) {
      if (this.data.get(key) === data[key]) continue;
      for (const keys of this.owners.values()) keys.delete(key);
      if (key in data) this.owners.set(owner, (this.owners.get(owner) ?? new Set()).add(key));
    }
    this.data = new Map(Object.entries(data));
    return undefined;
  }

  #othersOf(owner: string, key: string): string[] {
    return [...this.owners].filter(([other, keys]) => other !== owner && keys.has(key)).map(([other]) => other);
  }

  shown(): unknown {
    const owners = [...this.owners].filter(([, keys]) => keys.size > 0).map(([owner, keys]) => [owner, [...keys].toSorted()] as const);
    return { data: Object.fromEntries([...this.data].toSorted()), owners: Object.fromEntries(owners.toSorted()) };
  }
}

const schema = getDefinitionSchema('io.k8s.api.core.v1.ConfigMap');
const common = { schema, apiVersion: 'v1', now: '2024-01-01T00:00:00Z' };

class Real {
  live: AppliedObject | undefined;

  run({ verb, manager, data }: Operation): readonly string[] | undefined {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, ...(Object.keys(data).length > 0 && { data }) };
    if (verb === 'update') {
      const updated = store(object);
      const managedFields = convertNow(updateManagedFields({ ...common, live: this.live, updated, manager }), noOtherVersion);
      this.live = store({ ...updated, metadata: { ...updated.metadata, ...(managedFields && { managedFields }) } });
      return undefined;
    }
    try {
      const force = verb === 'force';
      const steps = applyPatch({ ...common, kind: 'ConfigMap', live: this.live, applied: object, manager, force });
      this.live = store(convertNow(steps, noOtherVersion));
      return undefined;
    } catch (error) {
      assert.ok(error instanceof StatusError && error.reason === 'Conflict', String(error));
      const fields = (error.status.details?.causes ?? []).map(({ field }) => field?.replace(/^\.data\./, '') ?? '');
      return [...new Set(fields)].toSorted();
    }
  }

  shown(): unknown {
    const { data = {} } = (this.live ?? {}) as { data?: Data };
    const owners = (this.live?.metadata.managedFields ?? []).flatMap(({ manager, operation, fieldsV1 }) => {
      const keys = Object.keys((fieldsV1 as { 'f:data'?: object } | undefined)?.['f:data'] ?? {}).filter((key) => key !== '.');
      return keys.length === 0 ? [] : [[`${manager} ${operation}`, keys.map((key) => key.slice(2)).toSorted()] as const];
    });
    return { data: Object.fromEntries(Object.entries(data).toSorted()), owners: Object.fromEntries(owners.toSorted()) };
  }
}

function store(object: Record<string, unknown>): AppliedObject {
  return decode(object, schema).object as AppliedObject;
}

/** One key is always present. A manager that owns a map as a whole keeps owning it when it is empty; that case has its own test. */
const anyOperation = fc.record({
  verb: fc.constantFrom('apply' as const, 'apply' as const, 'force' as const, 'update' as const),
  manager: fc.constantFrom('a', 'b', 'c'),
  data: fc
    .dictionary(fc.constantFrom('k', 'l', 'm', 'n'), fc.constantFrom('1', '2'), { maxKeys: 4 })
    .map((data) => ({ ...data, always: '0' })),
});

describe('apply, beside a model of it', function () {
  this.timeout(3_600_000);
  it('has the same data, owners and conflicts after every step', () => {
    fc.assert(
      fc.property(fc.array(anyOperation, { maxLength: 12 }), (operations) => {
        const [model, real] = [new Model(), new Real()];
        for (const operation of operations) {
          const isUnowned = real.live !== undefined && real.live.metadata.managedFields === undefined;
          const expected = model.run(operation, isUnowned);
          assert.deepEqual(real.run(operation), expected);
          assert.deepEqual(real.shown(), model.shown());
        }
      }),
      { numRuns: fuzzRuns(500, 50_000) },
    );
  });
});
