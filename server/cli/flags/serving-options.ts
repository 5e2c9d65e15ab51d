import { isIP } from 'node:net';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { insecureSuites, preferredSuites, tlsVersions } from '../../../api/base/tls-settings.ts';
import { dns1123SubdomainProblems } from '../../../api/validation/names.ts';
import type { CertificateFiles } from '../../control-plane/open-serving.ts';
import { parseCount, parseNames } from './parse-flags.ts';

/** The flags of kube-apiserver's serving port, by their names, and --tls-san. */
export function addServingOptions(command: Command): Command {
  const add = (option: Option) => void command.addOption(option);
  add(
    new Option(
      '--tls-cert-file <path>',
      "certificate to serve with, followed by those of its authority, in place of the one that is made; nodes and kubets' own kubeconfig trust the cluster's CA alone. Taken over when it changes",
    ),
  );
  add(new Option('--tls-private-key-file <path>', 'its key'));
  add(
    new Option(
      '--tls-sni-cert-key <cert,key[:names]>',
      'another certificate, for clients that ask for its names or for these, e.g. foo.crt,foo.key:*.foo.com,foo.com; may be repeated',
    ).argParser((text: string, before: readonly CertificateFiles[] = []) => [...before, parseNamedCertificate(text)]),
  );
  add(
    new Option('--tls-san <names>', 'further names and addresses of the certificate that is made; may be repeated').argParser(
      (text: string, before: readonly string[] = []) => [...before, ...parseNames(text).map(parseName)],
    ),
  );
  addTLSOptions(command);
  add(
    new Option('--http2-max-streams-per-connection <number>', 'requests that one connection may have under way; 0: the default, 1000')
      .default(0)
      .argParser(parseCount),
  );
  add(
    new Option(
      '--goaway-chance <fraction>',
      'which part of the requests over HTTP/2 has its client connect anew, so that a load balancer can spread clients; at most 0.02',
    )
      .default(0)
      .argParser(parseChance),
  );
  return command;
}

/** The flags of TLS that API server and kubelet have in common. */
function addTLSOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--tls-cipher-suites <names>',
        `cipher suites up to TLS 1.2, in any order; those of TLS 1.3 are always on (default: those of Go). Preferred: ${preferredSuites.join(', ')}. Insecure: ${insecureSuites.join(', ')}`,
      ).argParser(parseNames),
    )
    .addOption(new Option('--tls-min-version <version>', `least version of TLS: ${tlsVersions.join(', ')} (default: VersionTLS12)`))
    .addOption(
      new Option(
        '--tls-curve-preferences <numbers>',
        'key exchanges by their numbers (CurveIDs of Go): 23 P-256, 24 P-384, 25 P-521, 29 X25519, 4588 X25519MLKEM768 (default: those of OpenSSL)',
      ).argParser((text: string) => parseNames(text).map(Number)),
    );
}

/** `cert,key` or `cert,key:name,name`. */
export function parseNamedCertificate(text: string): CertificateFiles {
  const colon = text.indexOf(':');
  const trimmed = (list: string) => list.split(',').map((one) => one.trim());
  const names = colon < 0 ? '' : text.slice(colon + 1).trim();
  if (colon >= 0 && names === '') throw new InvalidArgumentError('empty names list is not allowed');
  const [certFile = '', keyFile = '', ...more] = trimmed(colon < 0 ? text : text.slice(0, colon));
  if (certFile === '' || keyFile === '' || more.length > 0)
    throw new InvalidArgumentError('expected comma separated certificate and key file paths');
  return { certFile, keyFile, names: names === '' ? [] : trimmed(names) };
}

function parseName(name: string): string {
  if (isIP(name) !== 0 || dns1123SubdomainProblems(name.replace(/^\*\./, '')).length === 0) return name;
  throw new InvalidArgumentError(`'${name}' is no name of a host and no address.`);
}

function parseChance(text: string): number {
  const chance = Number(text);
  if (!(chance >= 0 && chance <= 0.02)) throw new InvalidArgumentError('--goaway-chance can not be less than 0 or greater than 0.02');
  return chance;
}
