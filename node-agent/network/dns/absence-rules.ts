/** The table that they are in, as `family name`. */
export const absenceTable = 'inet kubets-dns';

/**
 * While the agent is replaced no process listens at the port of DNS. If it were refused, resolvers would give up; these rules make the
 * kernel drop the queries instead, so that they are repeated a moment later. While the socket is open they have no effect.
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
