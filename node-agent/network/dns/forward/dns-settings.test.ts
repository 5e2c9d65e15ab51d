import assert from 'node:assert/strict';
import { parseDNSSettings } from './dns-settings.ts';

describe('settings of cluster DNS', () => {
  it('name servers by domain and for the rest', () => {
    const { stubDomains, upstreams, problems } = parseDNSSettings({
      stubDomains: '{"Acme.local.": ["10.0.0.1", "10.0.0.1:5353"], "six.local": ["fd00::1", "[fd00::1]:5353"]}',
      upstreamNameservers: '["192.0.2.53"]',
    });
    assert.deepEqual(Object.fromEntries(stubDomains), {
      'acme.local': [
        { address: '10.0.0.1', port: 53 },
        { address: '10.0.0.1', port: 5353 },
      ],
      'six.local': [
        { address: 'fd00::1', port: 53 },
        { address: 'fd00::1', port: 5353 },
      ],
    });
    assert.deepEqual(upstreams, [{ address: '192.0.2.53', port: 53 }]);
    assert.deepEqual(problems, []);
  });

  it('leave everything as it is where there are none', () => {
    assert.deepEqual(parseDNSSettings(undefined), { stubDomains: new Map(), problems: [] });
    assert.deepEqual(parseDNSSettings({ stubDomains: ' ', upstreamNameservers: '' }), { stubDomains: new Map(), problems: [] });
  });

  for (const [what, data, problem] of [
    ['no JSON', { stubDomains: '{' }, 'stubDomains is no JSON'],
    ['a list of domains', { stubDomains: '["a"]' }, 'stubDomains is no JSON object'],
    ['a server that is no list', { stubDomains: '{"a": "10.0.0.1"}' }, 'stubDomains: a is no list of servers'],
    ['a name of a server', { upstreamNameservers: '["ns.example.com"]' }, 'upstreamNameservers: ns.example.com is no address'],
    ['a port that is none', { upstreamNameservers: '["10.0.0.1:70000"]' }, 'upstreamNameservers: 10.0.0.1:70000 is no address'],
    ['a number', { upstreamNameservers: '[4]' }, 'upstreamNameservers: 4 is no address'],
  ] as const) {
    it(`pass over ${what}`, () => assert.deepEqual(parseDNSSettings(data), { stubDomains: new Map(), problems: [problem] }));
  }
});
