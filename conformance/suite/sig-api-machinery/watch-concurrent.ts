import assert from 'node:assert/strict';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { take } from '../../framework/take.ts';

/** The number of watches, the same as upstream's: each opens one event later than the one before and gets its event. */
const watchCount = 100;

export default conformanceTest({
  name: '[sig-api-machinery] Watchers should receive events on concurrent watches in same order [Conformance]',
  release: 'v1.15',
  behavior: 'Watches opened at different resourceVersions while objects change MUST deliver the same events in the same order.',
  async run({ client, namespace }) {
    const { metadata } = await client(configMaps).list({ namespace });
    const start = metadata.resourceVersion ?? '';
    const first = client(configMaps).watch({ namespace, resourceVersion: start });
    const total = watchCount * 2;
    const versionsInOrder = take(total, first, { withinSeconds: 60 }).then((events) => events.map(versionOf));
    const watches: Promise<{ from: string; versions: string[] }>[] = [];
    let from = start;
    for (let turn = 0; turn < total; turn++) {
      if (turn < watchCount) {
        const resourceVersion = from;
        const events = take(total - turn, client(configMaps).watch({ namespace, resourceVersion }), { withinSeconds: 60 });
        watches.push(events.then((all) => ({ from: resourceVersion, versions: all.map(versionOf) })));
      }
      from = await change(turn);
    }
    const reference = await versionsInOrder;
    for (const watch of watches) {
      const { from: opened, versions } = await watch;
      assert.deepEqual(versions, reference.slice(opened === start ? 0 : reference.indexOf(opened) + 1));
    }

    /** Creates, updates and deletes by turns, and returns the resourceVersion of the event it made. */
    async function change(turn: number): Promise<string> {
      const key = { namespace, name: `cm-${Math.floor(turn / 3)}` };
      if (turn % 3 === 0) return (await client(configMaps).create({ metadata: key })).metadata.resourceVersion ?? '';
      if (turn % 3 === 1) {
        const patched = await client(configMaps).patch(key, { type: 'merge', body: { data: { turn: String(turn) } } });
        return patched.metadata.resourceVersion ?? '';
      }
      const watch = client(configMaps).watch({ namespace, resourceVersion: from });
      const deleted = take(1, watch, { withinSeconds: 30 });
      await client(configMaps).delete(key);
      return (await deleted).map(versionOf)[0] ?? '';
    }
  },
});

const versionOf = (event: { readonly object: { readonly metadata: { readonly resourceVersion?: string } } }) =>
  event.object.metadata.resourceVersion ?? '';
