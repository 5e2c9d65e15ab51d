import { repeatedIndexes } from '../../../base/repeats.ts';
import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { MutatingWebhook, ValidatingWebhook, WebhookClientConfig } from '../../../types/admissionregistration-v1.ts';
import { duplicate, type FieldError, invalid, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { portNumberProblems, validateFullyQualifiedName } from '../../../validation/formats.ts';
import { validateLabelSelector } from '../../../validation/labels.ts';
import { dns1035LabelProblems, dns1123SubdomainProblems } from '../../../validation/names.ts';
import { validateMatchConditions, validateMatchPolicy, validateRule } from './rule-validation.ts';

/** Versions of AdmissionReview and of ConversionReview that the server speaks. */
const reviewVersions = ['v1', 'v1beta1'];

export function validateWebhooks(
  webhooks: readonly DeepReadonly<MutatingWebhook | ValidatingWebhook>[] | undefined,
  path: FieldPath,
): FieldError[] {
  const names = new Set<string>();
  return validateEach(webhooks, path, (webhook, at) => {
    const errors = validateFullyQualifiedName(at.child('name'), webhook.name ?? '');
    errors.push(...validateEach(webhook.rules, at.child('rules'), validateRule));
    if (webhook.failurePolicy !== undefined)
      errors.push(...validateChoice(at.child('failurePolicy'), webhook.failurePolicy, ['Fail', 'Ignore'], 'unsupported'));
    errors.push(...validateMatchPolicy(webhook.matchPolicy, at.child('matchPolicy')));
    const { sideEffects, timeoutSeconds } = webhook;
    const known = validateChoice(at.child('sideEffects'), sideEffects, ['None', 'NoneOnDryRun'], 'unsupported');
    errors.push(...(sideEffects !== undefined ? known : [required(at.child('sideEffects'), 'must specify one of None, NoneOnDryRun')]));
    if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > 30)) {
      errors.push(invalid(at.child('timeoutSeconds'), timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'));
    }
    errors.push(
      ...validateLabelSelector(webhook.namespaceSelector, at.child('namespaceSelector')),
      ...validateLabelSelector(webhook.objectSelector, at.child('objectSelector')),
      ...validateClientConfig(webhook.clientConfig, at.child('clientConfig')),
      ...validateReviewVersions(
        webhook.admissionReviewVersions ?? [],
        at.child('admissionReviewVersions'),
        `must specify one of ${reviewVersions.join(', ')}`,
      ),
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

/** Validates the versions of a review that a webhook understands. `whenMissing` is the message where it names none. */
export function validateReviewVersions(versions: readonly string[], path: FieldPath, whenMissing: string): FieldError[] {
  if (versions.length === 0) return [required(path, whenMissing)];
  const repeated = repeatedIndexes(versions);
  const errors = validateEach(versions, path, (version, at, index) => {
    if (repeated.has(index)) return [invalid(at, version, 'duplicate version')];
    return invalidFor(at, version, dns1035LabelProblems(version));
  });
  if (!versions.some((version) => reviewVersions.includes(version))) {
    errors.push(invalid(path, versions, `must include at least one of ${reviewVersions.join(', ')}`));
  }
  return errors;
}

/** Validates the address of a webhook: a URL or a Service, over TLS. */
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
  return service?.path ? [...errors, ...validatePath(service.path, at.child('path'))] : errors;
}

/** Segments that could be names of objects. */
function validatePath(text: string, path: FieldPath): FieldError[] {
  const errors = text.startsWith('/') ? [] : [invalid(path, text, "must start with a '/'")];
  if (text === '/') return errors;
  const segments = text.replace(/\/$/, '').slice(1).split('/');
  return [
    ...errors,
    ...segments.flatMap((segment, index) => {
      if (segment === '') return [invalid(path, text, `segment[${index}] may not be empty`)];
      return dns1123SubdomainProblems(segment).map((problem) => invalid(path, text, `segment[${index}]: ${problem}`));
    }),
  ];
}

const urlForm = '; desired format: https://host[/path]';

const brokenEscape = /%(?![\da-f]{2}).{0,2}/i;
const urlParts = /^(?:([a-z][a-z\d+.-]*):)?(?:\/\/([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/is;

/** Validates the text as written, as Go parses it; other URL parsers correct errors silently. */
function validateURL(text: string, path: FieldPath): FieldError[] {
  const escape = brokenEscape.exec(text)?.[0];
  const [, scheme = '', authority = '', query = '', fragment = ''] = urlParts.exec(text) ?? [];
  const userEnd = authority.lastIndexOf('@');
  const host = authority.slice(userEnd + 1);
  const ofHost = text.startsWith(':') ? 'missing protocol scheme' : hostProblem(host);
  const problem = escape === undefined ? ofHost : `invalid URL escape ${JSON.stringify(escape)}`;
  if (problem !== undefined) return [required(path, `url must be a valid URL: parse ${JSON.stringify(text)}: ${problem}${urlForm}`)];
  const errors: FieldError[] = [];
  if (scheme.toLowerCase() !== 'https')
    errors.push(invalid(path, scheme.toLowerCase(), `'https' is the only allowed URL scheme${urlForm}`));
  if (host === '') errors.push(invalid(path, host, `host must be specified${urlForm}`));
  if (userEnd >= 0) errors.push(invalid(path, authority.slice(0, userEnd), 'user information is not permitted in the URL'));
  if (fragment !== '') errors.push(invalid(path, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') errors.push(invalid(path, query, 'query parameters are not permitted in the URL'));
  return errors;
}

/** Characters that Go takes for parts of a host, brackets and the colon of a port among them. */
const hostCharacters = /[^\p{L}\p{N}\-._~!$&'()*+,;=:[\]<>"%\u0080-\u{10ffff}]/u;

function hostProblem(host: string): string | undefined {
  const end = host.lastIndexOf(']');
  if (host.startsWith('[') && end < 0) return "missing ']' in host";
  const at = host.startsWith('[') ? end + 1 : host.lastIndexOf(':');
  const port = at < 0 ? '' : host.slice(at);
  if (!/^(?::\d*)?$/.test(port)) return `invalid port ${JSON.stringify(port)} after host`;
  const odd = hostCharacters.exec(host)?.[0];
  return odd === undefined ? undefined : `invalid character ${JSON.stringify(odd)} in host name`;
}
