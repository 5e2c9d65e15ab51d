import assert from 'node:assert/strict';
import { catalog } from '../resources/catalog.ts';
import { tableColumns } from './table.ts';

/** Upstream says nothing of these either. */
const silent = ['runtimeclasses.Handler'];

describe('descriptions of Table columns', () => {
  const columns = catalog.flatMap((definition) =>
    tableColumns(definition).map((column) => ({ ...column, of: definition.names.plural, version: definition.version })),
  );
  const describe = (plural: string, name: string) => columns.find((column) => column.of === plural && column.name === name)?.description;

  it('no column of a built-in kind is without', () =>
    assert.deepEqual(
      columns.filter(({ description }) => description === '').map(({ of, name }) => `${of}.${name}`),
      silent,
    ));
  it('they are those of fields, or texts of their own', () => {
    assert.match(describe('pods', 'Name') ?? '', /^Name must be unique within a namespace\. Is required when creating resources/);
    assert.match(describe('secrets', 'Age') ?? '', /^CreationTimestamp is a timestamp representing the server time/);
    assert.equal(describe('pods', 'Ready'), 'The aggregate readiness state of this pod for accepting traffic.');
    assert.equal(describe('nodes', 'OS-Image'), 'OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).');
    assert.equal(describe('deployments', 'Images'), 'Images referenced by each container in the template.');
  });
});
