import { core, post, mutating, validating, says, raw, review, type WebhookCase } from './case-parts.ts';
import { patching, type WebhookAnswer } from './recording-webhook.ts';

/** Answers in which something is wrong; asked with both failure policies. */
const wrongAnswers: Readonly<Record<string, WebhookAnswer>> = {
  'status 400': raw(400, '{}'),
  'status 401': raw(401, ''),
  'status 404': raw(404, 'page not found', 'text/plain'),
  'status 409': raw(409, '{}'),
  'status 429': raw(429, '{}'),
  'status 500': raw(500, 'oops', 'text/plain'),
  'status 503': raw(503, '{}'),
  'status 204': raw(204, '', ''),
  'a Status': raw(
    403,
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'go away', reason: 'Forbidden', code: 403 }),
  ),
  nothing: raw(200, ''),
  HTML: raw(200, '<html></html>', 'text/html'),
  'broken JSON': raw(200, '{"kind": '),
  'a list': raw(200, '[]'),
  null: raw(200, 'null'),
  'an empty object': raw(200, '{}'),
  'another kind': review((answer) => ({ ...answer, kind: 'Nonsense' })),
  'another group': review((answer) => ({ ...answer, apiVersion: 'v1' })),
  'another version': review((answer) => ({ ...answer, apiVersion: 'admission.k8s.io/v2' })),
  'the older version': review((answer) => ({ ...answer, apiVersion: 'admission.k8s.io/v1beta1' })),
  'no kind': review(({ kind: _, ...answer }) => answer),
  'no version': review(({ apiVersion: _, ...answer }) => answer),
  'no response': review(({ response: _, ...answer }) => answer),
  'another uid': says({ uid: 'other', allowed: true }),
  'no uid': says({ uid: undefined, allowed: true }),
  'allowed as a text': says({ allowed: 'yes' }),
  'a list of warnings as a text': says({ allowed: true, warnings: 'w' }),
  'a patch without a type': says({ ...patching({ op: 'add', path: '/data/z', value: 'x' }), patchType: undefined }),
  'a type without a patch': says({ allowed: true, patchType: 'JSONPatch' }),
  'an empty type': says({ ...patching({ op: 'add', path: '/data/z', value: 'x' }), patchType: '' }),
  'another type': says({ ...patching({ op: 'add', path: '/data/z', value: 'x' }), patchType: 'Merge' }),
  'a patch that is no base64': says({ ...patching(), patch: '!' }),
  'a broken connection': (_review, response) => void response.destroy(),
  'a body that ends too early': (_review, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
    response.write('{"kind"');
    setTimeout(() => response.destroy(), 20);
  },
};
export const answerCases: readonly WebhookCase[] = Object.entries(wrongAnswers).flatMap(([name, answer]) => [
  { name: `mutating, ${name}`, webhooks: [mutating(answer)], request: { ...post, path: `${post.path}?dryRun=All` } },
  { name: `validating, ${name}`, webhooks: [validating(answer)], request: { ...post, path: `${post.path}?dryRun=All` } },
  {
    name: `ignored, ${name}`,
    webhooks: [
      mutating(answer, { ...core('configmaps'), failurePolicy: 'Ignore' }),
      validating(answer, { ...core('configmaps'), failurePolicy: 'Ignore' }),
    ],
    request: { ...post, path: `${post.path}?dryRun=All` },
  },
]);
