/** The table that they are in, as `family name`. */
export const absenceTable = 'inet kubets-dns';

/**
 * While the agent is replaced nobody listens at the port of DNS. Refused, resolvers would give up; the rules make the kernel
 * silent in place of that, so that they ask again a moment later. With a socket there they have no effect.
 */
export function renderAbsenceRules(port: number): string {
  const match = `meta l4proto { tcp, udp } th dport ${port}`;
  return `${renderAbsenceRemoval()}table ${absenceTable} {
  chain input {
    type filter hook input priority 10; policy accept;
    ct state established accept
    ${match} socket wildcard { 0, 1 } accept
    ${match} drop
  }
}
`;
}

/** Whether or not they are there. */
export function renderAbsenceRemoval(): string {
  return `add table ${absenceTable}\ndelete table ${absenceTable}\n`;
}
