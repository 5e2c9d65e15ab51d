/** The Warning for what is to guard a cluster and does not: nobody may believe that it is in force. */
export function notEnforced(kind: string, what: string): string[] {
  return [`this server does not ${what} yet: the ${kind} is stored and not enforced`];
}
