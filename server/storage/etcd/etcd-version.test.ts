import assert from 'node:assert/strict';
import { tellsProgressInOrder } from './etcd-version.ts';

describe('tellsProgressInOrder', () => {
  const table: readonly [string, boolean][] = [
    ['3.3.27', false],
    ['3.4.30', false],
    ['3.4.31', true],
    ['3.5.12', false],
    ['3.5.13', true],
    ['3.5.16-k3s1', true],
    ['3.6.0', true],
    ['4.0.0', true],
    ['unknown', true],
  ];
  for (const [version, expected] of table) it(version, () => assert.equal(tellsProgressInOrder(version), expected));
});
