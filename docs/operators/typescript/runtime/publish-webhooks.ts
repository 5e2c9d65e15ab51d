import { AdmissionregistrationV1Api, ApiextensionsV1Api, type KubeConfig } from '@kubernetes/client-node';
import { isDeepStrictEqual } from 'node:util';

/** How the API server reaches the webhooks: by a Service of the cluster, or by a URL for an operator outside of it. */
type WebhookAddress =
  | { readonly url: string }
  | { readonly service: { readonly namespace: string; readonly name: string; readonly port: number } };

interface Published {
  readonly kubeConfig: KubeConfig;
  readonly definition: string;
  readonly configuration: string;
  readonly address: WebhookAddress;
  readonly authorityPEM: string;
}

/** A WebhookClientConfig: `url` or `service`, and the authority in base64. */
function toClientConfig(address: WebhookAddress, path: string, authorityPEM: string) {
  const caBundle = Buffer.from(authorityPEM).toString('base64');
  if ('url' in address) return { url: new URL(path, address.url).href, caBundle };
  return { service: { ...address.service, path }, caBundle };
}

/** Writes address and authority into the CustomResourceDefinition and both configurations, if they are not there yet. */
export async function publishWebhooks({ kubeConfig, definition, configuration: name, address, authorityPEM }: Published): Promise<boolean> {
  const extensions = kubeConfig.makeApiClient(ApiextensionsV1Api);
  const admission = kubeConfig.makeApiClient(AdmissionregistrationV1Api);
  let isChanged = false;
  const crd = await extensions.readCustomResourceDefinition({ name: definition });
  const convert = toClientConfig(address, '/convert', authorityPEM);
  if (crd.spec.conversion?.webhook && !isDeepStrictEqual(plain(crd.spec.conversion.webhook.clientConfig), convert)) {
    crd.spec.conversion.webhook.clientConfig = convert;
    await extensions.replaceCustomResourceDefinition({ name: definition, body: crd });
    isChanged = true;
  }
  const mutating = await admission.readMutatingWebhookConfiguration({ name });
  if (setClientConfig(mutating.webhooks, toClientConfig(address, '/mutate', authorityPEM))) {
    await admission.replaceMutatingWebhookConfiguration({ name, body: mutating });
    isChanged = true;
  }
  const validating = await admission.readValidatingWebhookConfiguration({ name });
  if (setClientConfig(validating.webhooks, toClientConfig(address, '/validate', authorityPEM))) {
    await admission.replaceValidatingWebhookConfiguration({ name, body: validating });
    isChanged = true;
  }
  return isChanged;
}

function setClientConfig(webhooks: { clientConfig: object }[] | undefined, wanted: object): boolean {
  let isChanged = false;
  for (const webhook of webhooks ?? [])
    if (!isDeepStrictEqual(plain(webhook.clientConfig), wanted)) {
      webhook.clientConfig = wanted;
      isChanged = true;
    }
  return isChanged;
}

/** An object of the client library as JSON has it: without its class and without undefined members. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
