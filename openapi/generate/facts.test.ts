import assert from 'node:assert/strict';
import { conditionalDefaults } from '../../api/schema/defaults/conditional-defaults.ts';
import { findDefinitionSchema } from '../../api/schema/definition-schema.ts';
import { fullNameOf, isConstantRule, isEnabledRule, loadFacts, type ShapeFact } from './facts.ts';

const facts = loadFacts();
const structs = [...facts.definitions.values()].filter((found) => found.fact.fields !== undefined);

describe('facts', () => {
  it('cover the stable groups of v1.36', () => {
    assert.equal(facts.served.length, 22);
    const resources = facts.files.flatMap((file) => Object.entries(file.resources ?? {}));
    assert.equal(resources.length, 68);
    assert.equal(
      resources.reduce((sum, [, resource]) => sum + Object.keys(resource.subresources ?? {}).length, 0),
      45,
    );
    assert.equal(facts.definitions.size, 652);
  });

  it('refer only to definitions that exist', () => {
    const check = (file: (typeof facts.files)[number], shape: ShapeFact | undefined, where: string): void => {
      if (!shape) return;
      if (shape.ref !== undefined) assert.ok(facts.definitions.has(fullNameOf(file, shape.ref)), `${where} refers to ${shape.ref}`);
      check(file, shape.items, where);
      check(file, shape.values, where);
    };
    for (const file of facts.files) {
      for (const [name, definition] of Object.entries(file.definitions)) {
        for (const [field, fact] of Object.entries(definition.fields ?? {})) check(file, fact, `${name}.${field}`);
      }
    }
  });

  it('have a definition for every resource, list and subresource', () => {
    for (const file of facts.files) {
      for (const [plural, resource] of Object.entries(file.resources ?? {})) {
        const names = [
          resource.definition,
          resource.list,
          ...Object.values(resource.subresources ?? {}).map((subresource) => subresource.definition),
        ];
        // Connecting subresources have options, and no object of their own.
        for (const name of names) if (name !== undefined) assert.ok(facts.definitions.has(fullNameOf(file, name)), `${plural}: ${name}`);
      }
    }
  });

  it('list required fields in an order of their own only where there is one', () => {
    for (const { fullName, fact } of structs) {
      if (fact.requiredOrder === undefined) continue;
      const required = Object.entries(fact.fields ?? {}).flatMap(([name, field]) => (field.required === true ? [name] : []));
      assert.deepEqual([...fact.requiredOrder].sort(), required, fullName);
      assert.notDeepEqual(fact.requiredOrder, required, fullName);
    }
  });

  it('number the fields of a protobuf message differently', () => {
    for (const { fullName, fact } of structs) {
      const numbers = Object.values(fact.fields ?? {}).flatMap((field) =>
        field.protobuf === undefined ? [] : [`${field.protobufParent ?? ''}/${field.protobuf}`],
      );
      assert.equal(new Set(numbers).size, numbers.length, fullName);
    }
  });

  it('give keys only to list maps, and merge keys only to merged lists', () => {
    for (const { fullName, fact } of structs) {
      for (const [name, field] of Object.entries(fact.fields ?? {})) {
        assert.equal(field.listMapKeys !== undefined, field.listType === 'map', `${fullName}.${name}`);
        if (field.patchMergeKey !== undefined) assert.ok(field.patchStrategy?.includes('merge'), `${fullName}.${name}`);
      }
    }
  });

  it('have rules of default for definitions and fields that exist', () => {
    for (const [name, rules] of Object.entries(facts.defaults.rules)) {
      const schema = findDefinitionSchema(name);
      assert.ok(schema?.properties, name);
      for (const { path } of rules) assert.ok(schema.properties.has(path.split(/[.[{]/)[0] ?? ''), `${name}: ${path}`);
    }
  });

  it('have every rule of default either as data or in a function', () => {
    // Empty maps are not written; an unset apiGroup of a ServiceAccount is the empty text that it becomes.
    const withoutEffect = new Set(['io.k8s.api.core.v1.ConfigMap']);
    for (const [name, rules] of Object.entries(facts.defaults.rules)) {
      const open = rules.filter((rule) => isEnabledRule(rule) && !isConstantRule(rule));
      if (open.length > 0 && !withoutEffect.has(name))
        assert.ok(conditionalDefaults.has(name), `${name}: ${open.map((rule) => rule.path).join(', ')}`);
    }
    for (const name of conditionalDefaults.keys()) assert.ok(facts.definitions.has(name), name);
  });
});
