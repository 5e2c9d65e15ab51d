import assert from 'node:assert/strict';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { startCompleteServer } from '../testing/complete-server.ts';

const apiVersion = 'authorization.k8s.io/v1';
const at = 'spec.resourceAttributes';
const nameProblem =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

describe('access reviews', () => {
  let server: Awaited<ReturnType<typeof startCompleteServer>>;
  let api: APICaller;
  before(async () => {
    server = await startCompleteServer();
    api = createAPICaller(server.server.transport);
  });
  after(() => server.close());

  const review = (attributes: object, metadata: object = {}) =>
    api.post<{ status: Record<string, unknown> }>(`/apis/${apiVersion}/subjectaccessreviews`, {
      ...{ apiVersion, kind: 'SubjectAccessReview', metadata },
      spec: { user: 'u', resourceAttributes: { verb: 'list', resource: 'pods', ...attributes } },
    });

  const field = (requirement: object) => ({ fieldSelector: { requirements: [requirement] } });
  const label = (requirement: object) => ({ labelSelector: { requirements: [requirement] } });
  const refused: [object, string][] = [
    [
      { fieldSelector: {} },
      `${at}.fieldSelector.requirements: Required value: when ${at}.fieldSelector is specified, requirements or rawSelector is required`,
    ],
    [
      { labelSelector: { rawSelector: 'a=b', requirements: [{ key: 'a', operator: 'Exists' }] } },
      `${at}.labelSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements`,
    ],
    [field({ operator: 'Exists' }), `${at}.fieldSelector.requirements[0].key: Required value: must be specified`],
    [
      field({ key: 'a', operator: 'In', values: [] }),
      `${at}.fieldSelector.requirements[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
    ],
    [
      label({ key: 'a', operator: 'Exists', values: ['x'] }),
      `${at}.labelSelector.requirements[0].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
    ],
    [label({ key: '-a', operator: 'Exists' }), `${at}.labelSelector.requirements[0].key: Invalid value: "-a": ${nameProblem}`],
  ];
  for (const [attributes, message] of refused) {
    it(`refuse ${JSON.stringify(attributes)}`, async () => {
      const failure = await api.failure(review(attributes));
      assert.deepEqual([failure.code, failure.message], [422, `.authorization.k8s.io "" is invalid: ${message}`]);
    });
  }

  it('say who has asked, as a kube-apiserver does', async () => {
    const { body } = await api.post<{ metadata: { managedFields: { time: string }[] } }>(
      `/apis/${apiVersion}/selfsubjectaccessreviews?fieldManager=me`,
      { apiVersion, kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: { verb: 'list', resource: 'pods' } } },
    );
    const [{ time: _time, ...entry } = { time: '' }, ...others] = body.metadata.managedFields;
    assert.deepEqual(others, []);
    assert.deepEqual(entry, {
      ...{ manager: 'me', operation: 'Update', apiVersion, fieldsType: 'FieldsV1' },
      fieldsV1: { 'f:spec': { 'f:resourceAttributes': { '.': {}, 'f:resource': {}, 'f:verb': {} } } },
    });
  });

  it('of oneself give back the answer alone', async () => {
    const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const { body } = await api.post<{ metadata: object }>('/apis/authentication.k8s.io/v1/selfsubjectreviews', kind);
    assert.deepEqual(Object.keys(body.metadata), ['creationTimestamp']);
  });

  const unread: [object, string][] = [
    [{ fieldSelector: { rawSelector: 'x' } }, 'fieldSelector'],
    [field({ key: 'a', operator: 'In', values: ['b', 'c'] }), 'fieldSelector'],
    [{ labelSelector: { rawSelector: 'a===' } }, 'labelSelector'],
    [label({ key: 'a', operator: 'Gt', values: ['1'] }), 'labelSelector'],
  ];
  for (const [attributes, name] of unread) {
    it(`pass over ${JSON.stringify(attributes)} and say so`, async () =>
      assert.deepEqual((await review(attributes)).body.status, {
        allowed: false,
        evaluationError: `${at}.${name} ignored due to parse error`,
      }));
  }

  it('have no name', async () => {
    const failure = await api.failure(review({}, { name: 'x' }));
    assert.match(
      failure.message ?? '',
      /^\.authorization\.k8s\.io "" is invalid: metadata: Invalid value: {"name":"x",.*}: must be empty$/,
    );
  });

  it('of rules give back the answer alone', async () => {
    const spec = { namespace: 'default' };
    const body = { apiVersion, kind: 'SelfSubjectRulesReview', metadata: { name: 'x' }, spec };
    const answer = await api.post<Record<string, unknown>>(`/apis/${apiVersion}/selfsubjectrulesreviews`, body);
    assert.deepEqual([answer.status, answer.body['metadata'], answer.body['spec']], [201, {}, {}]);
  });

  it('of tokens that nobody knows say so', async () => {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'x' } };
    const answer = await api.post<{ status: unknown }>('/apis/authentication.k8s.io/v1/tokenreviews', body);
    assert.deepEqual(answer.body.status, { user: {}, error: 'invalid bearer token' });
  });
});
