import assert from 'node:assert/strict';
import path from 'node:path';
import type { CheckContext, CheckTopic } from './checks/check.ts';
import { parseOptions } from './options.ts';
import { formatElapsed } from './progress.ts';
import { type CheckResult, formatCounts, formatTable } from './report.ts';
import { runChecks, selectChecks } from './run-checks.ts';

describe('machine test: flags', () => {
  it('one machine, all checks, images in the cache of the user or of the packages', () => {
    const { machines, only, cache } = parseOptions([], { XDG_CACHE_HOME: '/c' });
    assert.deepEqual({ machines, only, cache }, { machines: 1, only: undefined, cache: '/c/kubets-machine' });
    assert.ok(parseOptions([], { XDG_CACHE_HOME: 'relative' }).cache.endsWith('node_modules/.cache/kubets-machine'));
    assert.ok(path.isAbsolute(parseOptions([], {}).cache));
  });
  for (const args of [
    ['--machines', '2'],
    ['--rounds', '0'],
    ['--rounds', 'x'],
    ['--accelerator', 'xen'],
    ['--variant', 'mint'],
    ['--patience', '0.5'],
    ['--what'],
  ])
    it(`${args.join(' ')} is refused`, () => assert.throws(() => parseOptions(args, {})));
});

const result = (outcome: CheckResult['outcome'], detail = ''): CheckResult => ({ topic: 't', name: 'n', outcome, detail, seconds: 2 });

describe('machine test: report', () => {
  it('what was not run is no success', () =>
    assert.equal(formatCounts([result('passed'), result('failed'), result('not run')]), '1 passed, 2 failed'));
  it('a table has a line for each check, with the first line of what was found', () =>
    assert.equal(formatTable([result('passed', 'a\nb'), result('failed', 'x'.repeat(500))]).split('\n').length, 2));
  it('times are minutes and seconds', () => assert.equal(formatElapsed(247_900), '  4:07'));
});

function topicsOf(log: string[], failing: readonly string[] = []): CheckTopic[] {
  const check = (name: string, more: object = {}) => ({
    name,
    run: () => {
      log.push(name);
      return failing.includes(name) ? Promise.reject(new Error('broken')) : Promise.resolve('');
    },
    ...more,
  });
  return [
    { topic: 'start', checks: [check('up', { isAlwaysRun: true, isFoundation: true }), check('modules')] },
    { topic: 'limits', prepare: check('restart'), checks: [check('pids'), check('swap')] },
  ];
}

const context = { say: () => undefined } as unknown as CheckContext;
const never = new AbortController().signal;

describe('machine test: order of checks', () => {
  it('selects by name, with what the others stand on and what prepares for them', async () => {
    const log: string[] = [];
    await runChecks(selectChecks(topicsOf(log), /pids/), context, never);
    assert.deepEqual(log, ['up', 'restart', 'pids']);
  });

  it('goes on after a check that fails', async () => {
    const log: string[] = [];
    const results = await runChecks(topicsOf(log, ['modules', 'pids']), context, never);
    assert.deepEqual(log, ['up', 'modules', 'restart', 'pids', 'swap']);
    assert.equal(formatCounts(results), '3 passed, 2 failed');
  });

  it('does not run what stands on something that failed', async () => {
    for (const [failing, ran] of [
      ['up', ['up']],
      ['restart', ['up', 'modules', 'restart']],
    ] as const) {
      const log: string[] = [];
      const results = await runChecks(topicsOf(log, [failing]), context, never);
      assert.deepEqual(log, ran);
      assert.equal(results.length, 5);
    }
  });

  it('runs nothing more once it is interrupted', async () => {
    const log: string[] = [];
    const results = await runChecks(topicsOf(log), context, AbortSignal.abort());
    assert.deepEqual(log, []);
    assert.equal(formatCounts(results), '0 passed, 5 failed');
  });
});

describe('machine test: Ctrl-C', () => {
  it('ends the wait for a check at once', async () => {
    const interrupted = new AbortController();
    const topic: CheckTopic = { topic: 't', checks: [{ name: 'endless', run: () => new Promise(() => undefined) }] };
    const results = runChecks([topic], context, interrupted.signal);
    interrupted.abort(new Error('interrupted'));
    assert.deepEqual(
      (await results).map(({ outcome, detail }) => ({ outcome, detail })),
      [{ outcome: 'failed', detail: 'interrupted' }],
    );
  });
});
