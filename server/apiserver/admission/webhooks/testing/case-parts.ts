import type { ServerResponse } from 'node:http';
import { respond, type WebhookAnswer } from './recording-webhook.ts';

export interface CaseWebhook {
  readonly type: 'mutating' | 'validating';
  /** Fields of the webhook that differ from the usual ones, such as `name`. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly answer?: WebhookAnswer;
}

export interface CaseRequest {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'GET';
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

/** A request with webhooks, sent to kubets and to a kube-apiserver. */
export interface WebhookCase {
  readonly name: string;
  readonly webhooks: readonly CaseWebhook[];
  /** Objects created without webhooks, in this order, and deleted after the case in the reverse order. */
  readonly present?: readonly { readonly path: string; readonly body: object }[];
  readonly request: CaseRequest;
}

export const rulesFor = (group: string, version: string, ...resources: readonly string[]) => [
  { operations: ['*'], apiGroups: [group], apiVersions: [version], resources },
];
export const core = (...resources: readonly string[]) => ({ rules: rulesFor('', 'v1', ...resources) });
export const space = '/api/v1/namespaces/hooked';
export const configMap = { metadata: { name: 'x', labels: { app: 'a' } }, data: { a: 'b' } };
export const post: CaseRequest = { method: 'POST', path: `${space}/configmaps`, body: configMap };
export const presentMap = [{ path: `${space}/configmaps`, body: configMap }];
export const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1.0' } } }] } };

export const mutating = (answer?: WebhookAnswer, fields: object = core('configmaps')): CaseWebhook => ({
  type: 'mutating',
  fields: { ...fields },
  ...(answer ? { answer } : {}),
});
export const validating = (answer?: WebhookAnswer, fields: object = core('configmaps')): CaseWebhook => ({
  type: 'validating',
  fields: { ...fields },
  ...(answer ? { answer } : {}),
});
export const both = (fields: object) => [mutating(undefined, fields), validating(undefined, fields)];

export const says =
  (fields: object): WebhookAnswer =>
  (review, response) =>
    respond(review, response, fields);
export const raw =
  (status: number, body: string, contentType = 'application/json'): WebhookAnswer =>
  (_review, response) => {
    response.writeHead(status, contentType === '' ? {} : { 'content-type': contentType });
    response.end(body);
  };
export const review =
  (change: (answer: Record<string, unknown>) => object): WebhookAnswer =>
  ({ apiVersion, request }, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(change({ apiVersion, kind: 'AdmissionReview', response: { uid: request.uid, allowed: true } })));
  };
export const base64 = (text: string) => Buffer.from(text).toString('base64');
