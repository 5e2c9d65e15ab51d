import assert from 'node:assert/strict';
import { catalog } from '../../../api/resources/catalog.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { createLargeTasks } from '../registry/large-objects/large-tasks.ts';
import type { LargeTask, LargeWork } from '../registry/large-objects/large-work.ts';
import { createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, startCompleteServer } from '../testing/complete-server.ts';
import { costs, createTurns } from '../registry/turns.ts';

describe('turns of long work', () => {
  it('are over when enough was done, and begin anew', async () => {
    const turns = createTurns();
    assert.equal(turns.isOver(0), false);
    assert.equal(turns.isOver(1e9), true);
    await turns.next();
    assert.equal(turns.isOver(costs.object), false);
  });
});

describe('lists of what is large', function () {
  this.timeout(60_000);
  const perform = createLargeTasks(catalog, () => 0);
  const done: LargeTask[] = [];
  const largeWork: LargeWork = {
    async run(task) {
      done.push(task);
      return perform(task);
    },
    nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
  };
  const large = Object.fromEntries(Array.from({ length: 4000 }, (_, index) => [`key-${index}`, 'x: y\n\tz']));
  const maps = '/api/v1/namespaces/default/configmaps';
  let [elsewhere, here]: (CompleteServer | undefined)[] = [];
  before(async () => {
    elsewhere = await startCompleteServer(undefined, {}, {}, { largeWork });
    here = await startCompleteServer();
    for (const { admin } of [elsewhere, here]) {
      for (const [name, data] of Object.entries({ a: { a: 'b' }, b: large, c: large, d: { e: 'f' } }))
        await admin(configMaps).create({ metadata: { namespace: 'default', name, labels: { a: 'b' } }, data });
    }
  });
  after(() => Promise.all([elsewhere?.close(), here?.close()]));

  const stable = (text: string) =>
    text
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'uid')
      .replaceAll(/(resourceVersion"?: "?)\d+/g, '$1')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, '');
  const ask = async (server: CompleteServer | undefined, target: string, accept: string) => {
    assert.ok(server);
    const { status, text } = await createAPICaller(server.server.transport).get(target, { accept });
    assert.equal(status, 200);
    return stable(text);
  };

  const formats: [target: string, accept: string, format: string, count: number][] = [
    [maps, 'application/yaml', 'item:yaml', 2],
    [`${maps}?pretty=true`, 'application/json', 'item:pretty', 2],
    [maps, 'application/vnd.kubernetes.protobuf', 'application/vnd.kubernetes.protobuf', 2],
    [`${maps}/b?pretty=true`, 'application/json', 'pretty', 1],
    [`${maps}/b`, 'application/yaml', 'application/yaml', 1],
  ];
  for (const [target, accept, format, count] of formats)
    it(`are written elsewhere, and are the same: ${target} as ${accept}`, async () => {
      done.length = 0;
      const text = await ask(elsewhere, target, accept);
      assert.deepEqual(
        done.map((task) => task.kind === 'encode' && task.format),
        Array.from({ length: count }, () => format),
      );
      if (!accept.includes('protobuf')) assert.equal(text, await ask(here, target, accept));
    });

  it('and of what a long selector looks at let others have their turn', async () => {
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const selector = Array.from({ length: 80_000 }, () => 'a=b').join(',');
    await createAPICaller((here as CompleteServer).server.transport).get(`${maps}?labelSelector=${encodeURIComponent(selector)}`);
    isOver = true;
    const withSelector = turns;
    turns = 0;
    isOver = false;
    setImmediate(count);
    await createAPICaller((here as CompleteServer).server.transport).get(`${maps}?labelSelector=a%3Db`);
    isOver = true;
    assert.ok(withSelector > turns, `${withSelector} turns, and ${turns} without`);
  });
});
