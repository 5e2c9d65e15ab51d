import assert from 'node:assert/strict';
import { judge, planDefaults } from './admission.ts';
import { findOwner, type Website } from './website.ts';

const site = (name: string, host?: string, creationTimestamp = '2026-01-01T00:00:00Z'): Website => ({
  metadata: { name, namespace: 'n', uid: name, creationTimestamp: creationTimestamp as unknown as Date },
  spec: { ...(host === undefined ? {} : { host }), replicas: 2, image: 'nginx', pages: {} },
});

describe('admission of Websites', () => {
  it('fills in the host, unless the name is not known yet', () => {
    assert.deepEqual(planDefaults(site('a')), [{ op: 'add', path: '/spec/host', value: 'a.n.example.com' }]);
    assert.deepEqual(planDefaults(site('a', 'mine.org')), []);
    assert.deepEqual(planDefaults(site('')), []);
  });

  it('refuses a host that another website has, be it only by default', () => {
    assert.deepEqual(judge(site('b', 'a.org'), [site('a', 'a.org'), site('b', 'a.org')]).status, {
      code: 409,
      reason: 'Conflict',
      message: 'spec.host: a.org belongs to the website n/a',
    });
    assert.equal(judge(site('b', 'a.n.example.com'), [site('a')]).allowed, false);
    assert.equal(judge(site('a', 'a.org'), [site('a', 'a.org')]).allowed, true);
  });

  it('gives a host that several have to the oldest', () => {
    const websites = [site('young', 'h', '2026-02-01T00:00:00Z'), site('old', 'h'), site('other', 'x', '2020-01-01T00:00:00Z')];
    assert.equal(findOwner(websites, 'h')?.metadata?.name, 'old');
  });
});
