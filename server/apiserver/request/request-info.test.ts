import assert from 'node:assert/strict';
import { parseQuery, parseRequestInfo } from './request-info.ts';

describe('what a request is about', () => {
  const about = (target: string, method = 'GET') => {
    const [path = '', query = ''] = target.split('?');
    const { isResourceRequest, verb, apiGroup, apiVersion, namespace, resource, subresource, name } = parseRequestInfo(
      method,
      path,
      parseQuery(query),
    );
    return isResourceRequest ? [verb, apiGroup, apiVersion, namespace, resource, subresource, name].join('|') : verb;
  };
  const table: [target: string, expected: string, method?: string][] = [
    ['/api/v1/pods', 'list||v1||pods||'],
    ['/api/v1/pods/', 'list||v1||pods||'],
    ['/api/v1/pods//', 'list||v1||pods||'],
    ['/api/v1/pods?watch=1', 'watch||v1||pods||'],
    ['/api/v1/pods?watch', 'watch||v1||pods||'],
    ['/api/v1/namespaces/ns/pods/p?watch=1', 'get||v1|ns|pods||p'],
    ['/api/v1/watch/namespaces/ns/pods/p', 'watch||v1|ns|pods||p'],
    ['/api/v1/pods?watch=false', 'list||v1||pods||'],
    ['/api/v1/namespaces/a', 'get||v1|a|namespaces||a'],
    ['/api/v1/namespaces/a/status', 'update||v1|a|namespaces|status|a', 'PUT'],
    ['/api/v1/namespaces/a/pods/b/log', 'get||v1|a|pods|log|b'],
    ['/apis/apps/v1/namespaces/a/deployments', 'deletecollection|apps|v1|a|deployments||', 'DELETE'],
    // An escaped slash is a slash; one too many is an empty part.
    ['/api/v1/namespaces/a%2Fpods', 'list||v1|a|pods||'],
    ['/api%2Fv1%2Fpods', 'list||v1||pods||'],
    ['/api/v1/namespaces//pods', 'list||v1||pods||'],
    ['/api/v1/namespaces/a//pods', 'get||v1|a|||pods'],
    ['/api/v1//pods', 'get||v1||||pods'],
    ['/api/v1/namespaces/a/pods/%C3%A9', 'get||v1|a|pods||é'],
    ['/api/v1/namespaces/a/pods/%ff', 'get||v1|a|pods||\ufffd'],
    ['/api/v1/namespaces/a%252Fpods', 'get||v1|a%2Fpods|namespaces||a%2Fpods'],
    ['/%61pi/v1/p%6Fds', 'list||v1||pods||'],
    ['/api/v1/namespaces/a/namespaces/b', 'get||v1|a|namespaces||b'],
    // Slashes at the beginning count for one, as upstream reads it; nothing is served there.
    ['//api/v1/pods', 'list||v1||pods||'],
    ['/%2Fapi/v1/pods', 'list||v1||pods||'],
    ['/apis//apps/v1/deployments', 'get||apps||v1||deployments'],
    ['/api/v1/proxy/nodes/n', 'proxy||v1||nodes||n', 'POST'],
    ['/api/v1/proxy', 'list||v1||proxy||'],
    ['/api/v1/pods?fieldSelector=metadata.name%3Da', 'list||v1||pods||a'],
    ['/api/v1/pods?fieldSelector=spec.nodeName%3Dn,metadata.name%3D%3Da', 'list||v1||pods||a'],
    ['/api/v1/pods?fieldSelector=metadata.name!%3Da', 'list||v1||pods||'],
    ['/api/v1/pods?fieldSelector=metadata.name%3D..', 'list||v1||pods||'],
    ['/api/v1/watch/pods?fieldSelector=metadata.name%3Da', 'watch||v1||pods||'],
    ['/healthz', 'get'],
    ['/', 'get'],
  ];
  for (const [target, expected, method] of table)
    it(`${method ?? 'GET'} ${target}: ${expected}`, () => assert.equal(about(target, method), expected));

  it('leads nowhere without a group, and behind more slashes than one', () => {
    const leadsNowhere = (path: string) => parseRequestInfo('GET', path, new URLSearchParams()).leadsNowhere;
    for (const path of ['/apis//v1/pods', '//api/v1/pods', '/%2fapi/v1/pods']) assert.equal(leadsNowhere(path), true, path);
    for (const path of ['/api/v1/pods', '/apis/apps/v1/deployments', '/api/v1/nodes/n/proxy', '/api/v1/proxy', '//healthz'])
      assert.equal(leadsNowhere(path), false, path);
  });

  const queries: [text: string, expected: Record<string, string>][] = [
    ['a=1&b=%2F', { a: '1', b: '/' }],
    ['a=1;b=2&c=3', { c: '3' }],
    ['a=%zz&c=3', { c: '3' }],
    ['%zz=1&c=%', {}],
  ];
  for (const [text, expected] of queries) it(`?${text}`, () => assert.deepEqual(Object.fromEntries(parseQuery(text)), expected));
});
