import assert from 'node:assert/strict';
import { parseShim } from './shims.ts';

describe('command lines of shims', () => {
  const program = '/usr/bin/containerd-shim-runc-v2';
  const shim = { namespace: 'k8s.io', id: '831c1e5d', address: '/data/containerd.sock' };
  const flags = ['-namespace', shim.namespace, '-id', shim.id, '-address', shim.address];
  const cases: readonly (readonly [string, readonly string[], typeof shim | undefined])[] = [
    ['of a sandbox or a container', [program, ...flags], shim],
    ['in another order', [program, '-address', shim.address, '-namespace', shim.namespace, '-id', shim.id], shim],
    ['with two hyphens', [program, ...flags.map((word) => word.replace(/^-/, '--'))], shim],
    ['of another kind', ['containerd-shim-runsc-v1', ...flags], shim],
    ['that starts one', [program, ...flags, 'start'], undefined],
    ['that deletes one', [program, ...flags, 'delete'], undefined],
    ['of another program that names one', ['grep', program, ...flags], undefined],
    ['without an id', [program, '-namespace', 'k8s.io', '-address', shim.address], undefined],
    ['cut off behind a flag', [program, '-namespace', 'k8s.io', '-address', shim.address, '-id'], undefined],
    ['of nothing', [], undefined],
  ];
  for (const [what, words, expected] of cases) it(what, () => assert.deepEqual(parseShim(words), expected));
});
