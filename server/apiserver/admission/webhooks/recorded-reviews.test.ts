import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../../../api/base/system-clock.ts';
import { type ClosableSecureDialer, createSecureDialer } from '../../../serving/secure-dialer.ts';
import { createAPICaller } from '../../testing/api-caller.ts';
import { type CompleteServer, startCompleteServer } from '../../testing/complete-server.ts';
import { startRecordingWebhook, type RecordingWebhook } from './testing/recording-webhook.ts';
import { type CaseResult, prepareCases, runWebhookCase } from './testing/run-webhook-case.ts';
import { webhookCases } from './testing/webhook-cases.ts';

const recorded = new Map(
  (JSON.parse(readFileSync(new URL('testdata/recorded-reviews.json', import.meta.url), 'utf8')) as CaseResult[]).map((result) => [
    result.name,
    result,
  ]),
);

/** Cases in which kubets differs, and why. */
const deviations: ReadonlyMap<string, string> = new Map([
  ['create in the cluster', 'an empty list that upstream cannot tell from none is null'],
  ['token', 'an empty list is null; defaults of a TokenRequest are set after admission'],
  ['update', 'an update without a resourceVersion is given that of the object before admission'],
  ['another name on update', 'the same, and upstream says twice what is wrong'],
  ['of a scale', 'the Scale is shown whole, also where the request left fields out'],
  ['delete of a collection', 'upstream leaves kind and apiVersion out of the items of its answer'],
  ['a patch that changes nothing', 'upstream counts such a patch as a change, and asks again'],
  ['another kind', 'upstream reads the object as the other kind first'],
  ['mutating, a broken connection', 'a call whose kept connection ends before the answer is made again'],
  ['validating, a broken connection', 'a call whose kept connection ends before the answer is made again'],
  ['ignored, a broken connection', 'a call whose kept connection ends before the answer is made again'],
]);

describe('what a kube-apiserver asks webhooks and makes of their answers', function () {
  this.timeout(60_000);
  let complete: CompleteServer;
  let webhook: RecordingWebhook;
  let dialer: ClosableSecureDialer;
  const api = () =>
    createAPICaller(complete.server.transport, { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] });
  before(async () => {
    webhook = await startRecordingWebhook();
    dialer = createSecureDialer({ clock: systemClock });
    complete = await startCompleteServer(undefined, {}, {}, { secureDialer: dialer });
    await prepareCases(api());
  });
  after(async () => {
    await complete.close();
    dialer.close();
    await webhook.close();
  });
  for (const [index, one] of webhookCases.entries())
    it(one.name, async () => {
      const ours = await runWebhookCase(one, index, api(), webhook);
      const theirs = recorded.get(one.name);
      if (deviations.has(one.name)) assert.notDeepEqual(ours, theirs, 'it is no deviation any more');
      else assert.deepEqual(ours, theirs);
    });
});
