import type { CheckedCertificate, CertificateProblem } from '../../pki/check-certificates.ts';
import type { Rotation } from '../../pki/rotate-authorities.ts';
import type { CertificatesReport } from './gather-certificates.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Formats the certificates as tables like those of `kubeadm certs check-expiration`, and the problems. */
export function formatCertificates(report: CertificatesReport): string {
  const { certificates, authorities, keys } = report;
  const rows = (list: readonly CheckedCertificate[]) =>
    list.map((one) => [one.name, expiry(one), residual(one.daysLeft), one.authority, one.subject]);
  const keyRows = keys.map(({ name, ids }) => [name, ids[0] ?? '', ids.slice(1).join(' ') || '']);
  return [
    ...table([['CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'AUTHORITY', 'SUBJECT'], ...rows(certificates)]),
    '',
    ...table([
      ['CERTIFICATE AUTHORITY', 'EXPIRES', 'RESIDUAL TIME', 'SUBJECT'],
      ...rows(authorities).map((row) => row.filter((_, index) => index !== 3)),
    ]),
    ...(keys.length === 0 ? [] : ['', ...table([['KEY', 'SIGNS', 'VERIFIES AS WELL'], ...keyRows])]),
    '',
    ...rotationLines(report),
    ...problemsOf(report).flatMap(({ name, problem, advice }) => [`✗ ${name}: ${problem}`, `  → ${advice}`]),
    ...(problemsOf(report).length === 0 ? ['✓ all certificates are valid and fit their keys and authorities'] : []),
    '',
  ].join('\n');
}

export function problemsOf({ certificates, authorities, keys }: CertificatesReport): (CertificateProblem & { readonly name: string })[] {
  return [...certificates, ...authorities, ...keys].flatMap(({ name, problems }) => problems.map((problem) => ({ name, ...problem })));
}

/** Describes the phase of a rotation and its next step. */
export function describeRotation({ phase, authorities, since, dropAfter, isTakenBack = false }: Rotation): string {
  const which = authorities.join(' and ');
  if (phase === 'trusting')
    return `rotation of ${which}: the new authority is trusted since ${since} and signs nothing yet; 'kubets certs rotate-ca' goes on`;
  const end = dropAfter === undefined ? "'kubets certs rotate-ca --finish' drops it" : `it is dropped after ${dropAfter}`;
  const [signing, other] = isTakenBack ? ['old', 'new'] : ['new', 'old'];
  return `rotation of ${which}: the ${signing} authority signs since ${since}, the ${other} one is still trusted; ${end}`;
}

function rotationLines({ rotation, serviceAccountKeyRotation: keys }: CertificatesReport): string[] {
  return [
    ...(rotation ? [`• ${describeRotation(rotation)}`] : []),
    ...(keys
      ? [
          `• rotation of the service account key: the new key signs since ${keys.since}; 'kubets certs rotate-service-account-key --finish' drops the old one`,
        ]
      : []),
  ];
}

/** `Jun 01, 2027 10:00 UTC`. */
function expiry({ expiresAt }: CheckedCertificate): string {
  const date = /^(\d+)-(\d+)-(\d+)T(\d+:\d+)/.exec(expiresAt);
  return date ? `${months[Number(date[2]) - 1]} ${date[3]}, ${date[1]} ${date[4]} UTC` : '';
}

/** The remaining days as kubeadm shows them: 364d, 9y. */
function residual(days: number): string {
  if (Number.isNaN(days) || days < 0) return '<invalid>';
  if (days < 2) return `${Math.floor(days * 24)}h`;
  return days < 730 ? `${Math.floor(days)}d` : `${Math.floor(days / 365)}y`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 3))
      .join('')
      .trimEnd(),
  );
}
