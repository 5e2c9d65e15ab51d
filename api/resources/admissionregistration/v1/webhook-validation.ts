import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { MutatingWebhook, ValidatingWebhook, WebhookClientConfig } from '../../../types/admissionregistration-v1.ts';
import { duplicate, type FieldError, invalid, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { portNumberProblems, validateFullyQualifiedName } from '../../../validation/formats.ts';
import { validateLabelSelector } from '../../../validation/labels.ts';
import { dns1035LabelProblems } from '../../../validation/names.ts';
import { validateMatchConditions, validateMatchPolicy, validateRule } from './rule-validation.ts';

/** Versions of AdmissionReview that the server speaks. */
const reviewVersions = ['v1', 'v1beta1'];

export function validateWebhooks(
  webhooks: readonly DeepReadonly<MutatingWebhook | ValidatingWebhook>[] | undefined,
  path: FieldPath,
): FieldError[] {
  const names = new Set<string>();
  return validateEach(webhooks, path, (webhook, at) => {
    const errors = validateFullyQualifiedName(at.child('name'), webhook.name ?? '');
    errors.push(...validateEach(webhook.rules, at.child('rules'), validateRule));
    errors.push(...validateChoice(at.child('failurePolicy'), webhook.failurePolicy, ['Fail', 'Ignore'], 'allowed'));
    errors.push(...validateMatchPolicy(webhook.matchPolicy, at.child('matchPolicy')));
    const { sideEffects, timeoutSeconds } = webhook;
    const known = validateChoice(at.child('sideEffects'), sideEffects, ['None', 'NoneOnDryRun'], 'unsupported');
    errors.push(...(sideEffects ? known : [required(at.child('sideEffects'), 'must specify one of None, NoneOnDryRun')]));
    if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > 30)) {
      errors.push(invalid(at.child('timeoutSeconds'), timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'));
    }
    errors.push(
      ...validateLabelSelector(webhook.namespaceSelector, at.child('namespaceSelector')),
      ...validateLabelSelector(webhook.objectSelector, at.child('objectSelector')),
      ...validateClientConfig(webhook.clientConfig, at.child('clientConfig')),
      ...validateReviewVersions(webhook.admissionReviewVersions ?? [], at.child('admissionReviewVersions')),
      ...validateMatchConditions(webhook.matchConditions, at.child('matchConditions')),
    );
    if ('reinvocationPolicy' in webhook && webhook.reinvocationPolicy !== undefined) {
      errors.push(...validateChoice(at.child('reinvocationPolicy'), webhook.reinvocationPolicy, ['IfNeeded', 'Never'], 'unsupported'));
    }
    if (names.has(webhook.name)) errors.push(duplicate(at.child('name'), webhook.name));
    names.add(webhook.name);
    return errors;
  });
}

function validateReviewVersions(versions: readonly string[], path: FieldPath): FieldError[] {
  if (versions.length === 0) return [required(path, `must specify one of ${reviewVersions.join(', ')}`)];
  const errors = validateEach(versions, path, (version, at, index) => {
    if (versions.indexOf(version) < index) return [duplicate(at, version)];
    return invalidFor(at, version, dns1035LabelProblems(version));
  });
  if (!versions.some((version) => reviewVersions.includes(version))) {
    errors.push(invalid(path, versions, `must include at least one of ${reviewVersions.join(', ')}`));
  }
  return errors;
}

/** Where a webhook is: at a URL or a Service, over TLS. */
export function validateClientConfig(config: DeepReadonly<WebhookClientConfig> | undefined, path: FieldPath): FieldError[] {
  const { url, service } = config ?? {};
  if ((url === undefined) === (service === undefined)) return [required(path, 'exactly one of url or service is required')];
  if (url !== undefined) return validateURL(url, path.child('url'));
  const at = path.child('service');
  const errors: FieldError[] = [];
  if (!service?.name) errors.push(required(at.child('name'), 'service name is required'));
  if (!service?.namespace) errors.push(required(at.child('namespace'), 'service namespace is required'));
  if (service?.port !== undefined) {
    errors.push(
      ...portNumberProblems(service.port).map((problem) => invalid(at.child('port'), service.port, `port is not valid: ${problem}`)),
    );
  }
  if (service?.path !== undefined && service.path !== '' && !service.path.startsWith('/')) {
    errors.push(invalid(at.child('path'), service.path, "must start with a '/'"));
  }
  return errors;
}

const urlForm = '; desired format: https://host[/path]';

function validateURL(text: string, path: FieldPath): FieldError[] {
  if (!URL.canParse(text)) return [required(path, `url must be a valid URL: parse ${JSON.stringify(text)}${urlForm}`)];
  const url = new URL(text);
  const errors: FieldError[] = [];
  if (url.protocol !== 'https:') {
    errors.push(invalid(path, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${urlForm}`));
  }
  if (url.host === '') errors.push(invalid(path, url.host, `host must be specified${urlForm}`));
  if (url.username !== '' || url.password !== '') errors.push(invalid(path, url.username, 'user information is not permitted in the URL'));
  if (url.hash !== '') errors.push(invalid(path, url.hash.slice(1), 'fragments are not permitted in the URL'));
  if (url.search !== '') errors.push(invalid(path, url.search.slice(1), 'query parameters are not permitted in the URL'));
  return errors;
}
