import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, startCompleteServer } from '../testing/complete-server.ts';
import { ownershipCases, prepareOwnership, runOwnershipCase } from './testing/version-ownership.ts';

/** The answers of kube-apiserver v1.32 (conformance/differential/record-ownership.ts). */
const recorded = JSON.parse(readFileSync(new URL('./testdata/version-ownership.json', import.meta.url), 'utf8')) as Record<string, unknown>;

/** kube-apiserver drops all managers of an object of which one has used a version that the kind no longer has; kubets drops that one. */
const different: Readonly<Record<string, unknown>> = {
  'a manager of a version that is gone': [
    ['a Apply versions.example.com/v1: {"f:spec":{"f:color":{}}}'],
    ['a Apply versions.example.com/v1: {"f:spec":{"f:color":{}}}', 'b Apply versions.example.com/v2: {"f:spec":{"f:size":{}}}'],
    ['a Apply versions.example.com/v1: {"f:spec":{"f:color":{}}}', 'c Update versions.example.com/v1: {"f:spec":{"f:size":{}}}'],
    [
      'a Apply versions.example.com/v1: {"f:spec":{"f:color":{}}}',
      'b Apply versions.example.com/v1: {"f:spec":{"f:color":{}}}',
      'c Update versions.example.com/v1: {"f:spec":{"f:size":{}}}',
    ],
  ],
};

describe('managers of fields in several versions of a kind', function () {
  this.timeout(60_000);
  let complete: CompleteServer;
  before(async () => {
    complete = await startCompleteServer();
    await prepareOwnership(createAPICaller(complete.server.transport));
  });
  after(() => complete.close());

  for (const one of ownershipCases)
    it(one.name, async () => {
      const answers = await runOwnershipCase(one, createAPICaller(complete.server.transport));
      assert.deepEqual(answers, different[one.name] ?? recorded[one.name]);
    });
});
