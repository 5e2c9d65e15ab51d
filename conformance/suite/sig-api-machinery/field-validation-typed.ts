import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-api-machinery] FieldValidation should detect unknown and duplicate fields of a typed object [Conformance]',
  release: 'v1.27',
  behavior: 'With fieldValidation=Strict, creating and applying an object with unknown or duplicate fields MUST be refused, naming them.',
  async run({ request, namespace }) {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const answer = await request('POST', path, { query: 'fieldValidation=Strict', body: invalidDeployment });
    assert.equal(answer.status, 400, answer.text);
    const { message } = answer.json() as { message: string };
    for (const problem of [
      'strict decoding error',
      'unknown field "spec.unknownField"',
      'duplicate field "spec.paused"',
      'unknown field "spec.unknownDupField"',
    ])
      assert.ok(message.includes(problem), `${JSON.stringify(message)} does not say ${problem}`);
    const warned = await request('POST', path, { query: 'fieldValidation=Warn&dryRun=All', body: invalidDeployment });
    assert.equal(warned.status, 201, warned.text);
    assert.match(warned.headers['warning'] ?? '', /unknown field \\"spec.unknownField\\"/);
  },
});

/** Text, because an object cannot have a key twice. */
const invalidDeployment = `{
  "apiVersion": "apps/v1",
  "kind": "Deployment",
  "metadata": { "name": "my-dep", "labels": { "app": "nginx" } },
  "spec": {
    "unknownField": 1,
    "unknownDupField": "uk1",
    "unknownDupField": "uk2",
    "paused": true,
    "paused": false,
    "selector": { "matchLabels": { "app": "nginx" } },
    "template": {
      "metadata": { "labels": { "app": "nginx" } },
      "spec": { "containers": [ { "name": "nginx", "image": "nginx:1.26" } ] }
    }
  }
}`;
