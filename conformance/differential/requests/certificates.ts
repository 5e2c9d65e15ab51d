import { generateKeyPairSync } from 'node:crypto';
import { type Random, randomInt } from '../../../api/base/random.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';
import { commonNameType, organizationType } from '../../../api/semantics/certificates/distinguished-name.ts';
import { encodeRequest, type RawAttribute } from '../../../server/pki/testing/certificate-request.ts';
import type { DifferentialRequest } from '../differential-request.ts';

const apiVersion = 'certificates.k8s.io/v1';
const collection = `/apis/${apiVersion}/certificatesigningrequests`;
const signers = [
  'kubernetes.io/kube-apiserver-client',
  'kubernetes.io/kube-apiserver-client-kubelet',
  'kubernetes.io/kubelet-serving',
  'kubernetes.io/legacy-unknown',
  'kubernetes.io/x',
  'example.com/x',
  'example.com/x/y',
  'example.com',
  'x',
  '',
  'Example.com/x',
  'example.com/X',
  'example.com/',
  `${'a'.repeat(250)}.com/x`,
];
const usages = [
  ['client auth'],
  ['client auth', 'digital signature'],
  ['server auth', 'digital signature', 'key encipherment'],
  ['digital signature', 'key encipherment', 'client auth'],
  ['x'],
  [],
  undefined,
  ['client auth', 'client auth'],
  ['any'],
  ['Client Auth'],
];
const spans = [undefined, undefined, undefined, 600, 599, 0, -1, 86_400, 'x'];
const askers = ['alice', 'eve', 'frank', 'admin', 'system:node:node-1', 'bootstrap', 'robot', 'anonymous'];
const utf8String = 0x0c;
const printableString = 0x13;
const attribute = (type: string, value: string, tag = utf8String): RawAttribute => ({ type, tag, value: Buffer.from(value) });

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

function certificateRequests(): string[] {
  const of = (...attributes: RawAttribute[]) => encodeRequest({ subject: attributes.map((one) => [one]) });
  const name = (text: string) => attribute(commonNameType, text);
  const group = (text: string) => attribute(organizationType, text);
  const dns = [{ tag: 0x82, value: Buffer.from('node-1') }];
  const good = of(name('jane'));
  return [
    good,
    of(group('system:nodes'), name('system:node:node-1')),
    encodeRequest({ subject: [[group('system:nodes')], [name('system:node:node-1')]], names: dns }),
    of(group('system:masters'), name('jane')),
    of(group('developers'), group('system:masters'), name('jane')),
    encodeRequest({ subject: [[name('jane')]], keys: { privateKey, publicKey }, algorithm: 'rsa' }),
    encodeRequest({ subject: [] }),
    encodeRequest({ subject: [[attribute(organizationType, 'system:masters', printableString)], [name('jane')]] }),
    good.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'),
    good.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'),
    `${good}${good}`,
    `text before\n${good}text after\n`,
    good.replace('-----BEGIN CERTIFICATE REQUEST-----\n', '-----BEGIN CERTIFICATE REQUEST-----\nA: b\n\n'),
    good.replace(/[A-Z]/g, 'A'),
    good.slice(0, 200),
    '',
    'x',
  ];
}

const conditions = [
  [],
  [{ type: 'Approved', status: 'True', reason: 'x', message: 'y' }],
  [{ type: 'Denied', status: 'True', reason: 'x' }],
  [
    { type: 'Approved', status: 'True' },
    { type: 'Denied', status: 'True' },
  ],
  [{ type: 'Approved', status: 'False' }],
  [{ type: 'Failed', status: 'True' }],
  [{ type: 'Approved' }],
  [{ type: '', status: 'True' }],
  [
    { type: 'Approved', status: 'True' },
    { type: 'Approved', status: 'True' },
  ],
  [{ type: 'Other', status: 'Unknown' }],
];
const certificates = [undefined, '', 'x', 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo='];
const existing = [
  ['asked-client', 'kubernetes.io/kube-apiserver-client', ['client auth']],
  ['asked-example', 'example.com/x', ['client auth']],
  ['asked-serving', 'kubernetes.io/kubelet-serving', ['server auth', 'digital signature']],
] as const;

/** Certificate signing requests: made, approved, denied and signed by people with and without rights on the signer. */
export function* certificateSigningRequests(random: Random, count: number): Generator<DifferentialRequest> {
  const texts = certificateRequests().map((text) => Buffer.from(text).toString('base64'));
  const [, nodeRequest = ''] = [texts[0], texts[2]];
  for (const [name, signerName, of] of existing) {
    const spec = { request: signerName.endsWith('serving') ? nodeRequest : texts[0], signerName, usages: of };
    const as = signerName.endsWith('serving') ? 'system:node:node-1' : 'alice';
    const body = { apiVersion, kind: 'CertificateSigningRequest', metadata: { name }, spec };
    yield { part: 'certificates', as, method: 'POST', path: collection, body };
  }
  for (let made = 0; made < count; made++) {
    const common = { part: 'certificates', as: oneOf(random, askers) };
    const choice = randomInt(random, 5);
    if (choice < 3) {
      const [expirationSeconds, of] = [oneOf(random, spans), oneOf(random, usages)];
      const forged = randomInt(random, 5) === 0 ? { username: 'admin', groups: ['system:masters'], uid: 'x', extra: { a: ['b'] } } : {};
      const spec = {
        ...{
          request: oneOf(random, [...texts, texts[0] ?? '', texts[0] ?? '', texts[1] ?? '']),
          signerName: oneOf(random, signers),
          ...forged,
        },
        ...(of ? { usages: of } : {}),
        ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      };
      const metadata = { name: 'fresh' };
      const status = randomInt(random, 6) === 0 ? { status: { conditions: oneOf(random, conditions) } } : {};
      const body = { apiVersion, kind: 'CertificateSigningRequest', metadata, spec, ...status };
      yield { ...common, method: 'POST', path: `${collection}?dryRun=All`, body };
      continue;
    }
    const [name] = oneOf(random, existing);
    const subresource = oneOf(random, ['approval', 'approval', 'status', '']);
    const certificate = oneOf(random, certificates);
    const status = { conditions: oneOf(random, conditions), ...(certificate === undefined ? {} : { certificate }) };
    yield {
      ...{ ...common, as: oneOf(random, ['frank', 'frank', 'admin', 'alice', 'system:node:node-1']), method: 'PATCH' },
      ...{
        path: `${collection}/${name}${subresource === '' ? '' : `/${subresource}`}?dryRun=All`,
        contentType: 'application/merge-patch+json',
      },
      body: { ...(randomInt(random, 5) === 0 ? { spec: { signerName: 'example.com/y', username: 'x' } } : {}), status },
    };
  }
}
