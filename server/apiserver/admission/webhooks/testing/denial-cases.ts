import { rulesFor, core, post, mutating, validating, both, says, type WebhookCase } from './case-parts.ts';
import { allow, patching, type WebhookAnswer } from './recording-webhook.ts';

const never: WebhookAnswer = () => {};
const headOnly: WebhookAnswer = (_review, response) => void response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
const quick = { ...core('configmaps'), timeoutSeconds: 1 };

/** Denials, warnings and time. */
export const denialCases: readonly WebhookCase[] = [
  ...Object.entries({
    'without explanation': {},
    'with a message': { status: { message: 'because' } },
    'with a reason': { status: { reason: 'Because' } },
    'with all': {
      status: {
        message: 'because',
        reason: 'Because',
        code: 418,
        status: 'Failure',
        details: { name: 'n', kind: 'k', causes: [{ reason: 'r', message: 'm', field: 'f' }], retryAfterSeconds: 3 },
      },
    },
    'with a code of success': { status: { code: 200, status: 'Success', message: 'fine' } },
    'with a large code': { status: { code: 700, message: 'm' } },
    'with metadata': { status: { metadata: { resourceVersion: '7' }, message: 'm' } },
    'with warnings': { status: { message: 'm' }, warnings: ['one', 'two\nlines', 'one', ''], auditAnnotations: { a: 'b' } },
    'with a patch': { ...patching({ op: 'add', path: '/data/z', value: 'x' }) },
  }).flatMap(([name, fields]): WebhookCase[] => [
    { name: `denied by a mutating one ${name}`, webhooks: [mutating(says({ ...fields, allowed: false })), mutating()], request: post },
    ...(name === 'with a patch'
      ? []
      : [
          {
            name: `denied by a validating one ${name}`,
            webhooks: [mutating(), validating(says({ ...fields, allowed: false }))],
            request: post,
          },
        ]),
  ]),
  {
    name: 'warnings',
    webhooks: [
      mutating(says({ allowed: true, warnings: ['one', 'two', 'with "quotes" and \\'] })),
      validating(says({ allowed: true, warnings: ['one', 'x'.repeat(300)] })),
    ],
    request: { ...post, path: `${post.path}?dryRun=All` },
  },
  { name: 'no answer in time', webhooks: [mutating(never, quick)], request: post },
  { name: 'no body in time', webhooks: [validating(headOnly, quick)], request: post },
  {
    name: 'no answer in time, ignored',
    webhooks: [mutating(never, { ...quick, failurePolicy: 'Ignore' }), validating(never, { ...quick, failurePolicy: 'Ignore' })],
    request: { ...post, path: `${post.path}?dryRun=All` },
  },
  {
    name: 'less time of the request',
    webhooks: [mutating(allow, { ...core('configmaps'), timeoutSeconds: 20 })],
    request: { ...post, path: `${post.path}?dryRun=All&timeout=7s` },
  },
  {
    name: 'two minutes',
    webhooks: [mutating(allow, { ...core('configmaps'), timeoutSeconds: 30 })],
    request: { ...post, path: `${post.path}?dryRun=All` },
  },
  {
    name: 'a Service that is not there',
    webhooks: [
      mutating(undefined, { ...core('configmaps'), clientConfig: { service: { namespace: 'hooked', name: 'none', path: '/p' } } }),
    ],
    request: post,
  },
  {
    name: 'nobody at the address',
    webhooks: [validating(undefined, { ...core('configmaps'), clientConfig: { url: 'https://127.0.0.1:1/p' } })],
    request: post,
  },
  { name: 'another authority', webhooks: [validating(undefined, { ...core('configmaps'), caBundle: '' })], request: post },
  {
    name: 'configurations are exempt',
    webhooks: [validating(says({ allowed: false }), { rules: rulesFor('admissionregistration.k8s.io', '*', '*/*') })],
    request: {
      method: 'POST',
      path: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations?dryRun=All',
      body: { metadata: { name: 'free' } },
    },
  },
];

/** Conditions of which webhooks are asked only where they are true. */
export const conditionCases: readonly WebhookCase[] = Object.entries({
  true: ['true'],
  false: ['true', 'false'],
  'on the object': ["object.data.a == 'b'", "request.operation == 'CREATE'", 'oldObject == null', "request.userInfo.username != ''"],
  'that fail': ['object.nothing == 1'],
  'that fail beside one that is false': ['object.nothing == 1', 'false'],
  'on rights': [
    "authorizer.group('').resource('configmaps').check('get').allowed()",
    "authorizer.requestResource.check('create').allowed()",
  ],
}).flatMap(([name, expressions]) => {
  const matchConditions = expressions.map((expression, index) => ({ name: `c${index}`, expression }));
  return [
    {
      name: `conditions ${name}`,
      webhooks: both({ ...core('configmaps'), matchConditions }),
      request: { ...post, path: `${post.path}?dryRun=All` },
    },
    {
      name: `conditions ${name}, ignored`,
      webhooks: both({ ...core('configmaps'), matchConditions, failurePolicy: 'Ignore' }),
      request: { ...post, path: `${post.path}?dryRun=All` },
    },
  ];
});
