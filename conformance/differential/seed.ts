import assert from 'node:assert/strict';
import type { Answer, DifferentialRequest, Facts } from './differential-request.ts';
import type { Exchange } from './exchange.ts';
import { makeBadTokens, signSecretToken } from './make-tokens.ts';
import { seedObjects } from './seed-objects.ts';

type Made = { readonly metadata?: { readonly uid?: string }; readonly status?: { readonly token?: string } };

/** Creates the objects on a server that the requests refer to, and collects its uids and tokens. */
export async function seed(exchange: Exchange, facts: Facts, pki: string): Promise<void> {
  const post = async (path: string, body: unknown): Promise<Made> => {
    const request: DifferentialRequest = { part: 'seed', as: 'admin', method: 'POST', path, body };
    const answer: Answer = await exchange.send(request);
    assert.ok(answer.status < 300, `POST ${path} ${JSON.stringify(body)}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body) as Made;
  };
  for (const { path, body } of seedObjects()) {
    const made = await post(path, body);
    const { name, namespace } = body['metadata'] as { name: string; namespace?: string };
    const place = /\/namespaces\/([^/]+)\//.exec(path)?.[1] ?? namespace ?? '';
    facts.set(`uid:${path.split('/').at(-1)}/${place === '' ? '' : `${place}/`}${name}`, made.metadata?.uid ?? '');
  }
  const request = async (name: string, account: string, spec: object) => {
    const path = `/api/v1/namespaces/team-a/serviceaccounts/${account}/token`;
    const made = await post(path, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
    facts.set(`token:${name}`, made.status?.token ?? '');
  };
  const bound = (kind: string, name: string, uid: string) => ({ boundObjectRef: { apiVersion: 'v1', kind, name, uid } });
  await request('robot', 'robot', {});
  await request('deployer', 'deployer', {});
  await request('robot-pod', 'robot', bound('Pod', 'web-1', facts.get('uid:pods/team-a/web-1') ?? ''));
  await request('robot-secret', 'robot', bound('Secret', 'one', facts.get('uid:secrets/team-a/one') ?? ''));
  await request('robot-aud', 'robot', { audiences: ['vault', 'https://kubernetes.default.svc.cluster.local'] });
  for (const [secret, isStored] of [
    ['legacy', true],
    ['legacy-other-secret', false],
  ] as const) {
    const token = await signSecretToken(pki, facts, secret, 'robot');
    facts.set(`token:${secret}`, token);
    const data = { token: Buffer.from(isStored ? token : 'other').toString('base64'), 'ca.crt': '', namespace: '' };
    const annotations = {
      'kubernetes.io/service-account.name': 'robot',
      'kubernetes.io/service-account.uid': facts.get('uid:serviceaccounts/team-a/robot'),
    };
    const metadata = { name: secret, annotations };
    const body = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/service-account-token', metadata, data };
    await post('/api/v1/namespaces/team-a/secrets', body);
  }
  for (const [name, token] of Object.entries(await makeBadTokens(pki, facts))) facts.set(`token:${name}`, token);
  facts.set('token:bootstrap', 'aaaaaa.0123456789abcdef');
  facts.set('token:bootstrap-extra', 'bbbbbb.0123456789abcdef');
  facts.set('token:bootstrap-expired', 'cccccc.0123456789abcdef');
  facts.set('token:bootstrap-wrong', 'aaaaaa.0123456789abcdee');
  facts.set('token:bootstrap-no-auth', 'dddddd.0123456789abcdef');
}
