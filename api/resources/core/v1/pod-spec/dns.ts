import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { invalidFor, validateEach } from '../../../../resource/field-rules.ts';
import type { HostAlias, PodSpec } from '../../../../types/core-v1.ts';
import { type FieldError, invalid, required } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { validateIP } from '../../../../validation/ip-addresses.ts';
import { dns1123SubdomainWithUnderscoreProblems } from '../../../../validation/names.ts';
import { validateDNSSubdomain } from './names.ts';

const maxNameservers = 3;
const maxSearches = 32;
const maxSearchCharacters = 2048;

export function validateDNSConfig({ dnsConfig, dnsPolicy }: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if ((dnsConfig.nameservers ?? []).length === 0) {
      return [required(path.child('nameservers'), 'must provide at least one DNS nameserver when `dnsPolicy` is None')];
    }
  }
  if (dnsConfig === undefined) return [];
  const { nameservers = [], searches = [], options = [] } = dnsConfig;
  const errors: FieldError[] = [];
  if (nameservers.length > maxNameservers) {
    errors.push(invalid(path.child('nameservers'), nameservers, `must not have more than ${maxNameservers} nameservers`));
  }
  errors.push(...validateEach(nameservers, path.child('nameservers'), (address, at) => validateIP(at, address)));
  if (searches.length > maxSearches)
    errors.push(invalid(path.child('searches'), searches, `must not have more than ${maxSearches} search paths`));
  if (searches.join(' ').length > maxSearchCharacters) {
    const detail = `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`;
    errors.push(invalid(path.child('searches'), searches, detail));
  }
  errors.push(
    ...validateEach(searches, path.child('searches'), (search, at) => {
      const name = search === '.' ? undefined : search.replace(/\.$/, '');
      return name === undefined ? [] : invalidFor(at, name, dns1123SubdomainWithUnderscoreProblems(name));
    }),
    ...validateEach(options, path.child('options'), ({ name }, at) => (name ? [] : [required(at, 'must not be empty')])),
  );
  return errors;
}

export function validateHostAliases(aliases: readonly DeepReadonly<HostAlias>[] | undefined, path: FieldPath): FieldError[] {
  return validateEach(aliases, path, ({ ip, hostnames }, at) => [
    ...validateIP(at.child('ip'), ip),
    ...validateEach(hostnames, at.child('hostnames'), (hostname, hostnamePath) => validateDNSSubdomain(hostnamePath, hostname)),
  ]);
}
