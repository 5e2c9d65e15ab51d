/** Whether requests without credentials are served as system:anonymous: none, all, or those to some paths. */
export interface AnonymousAccess {
  readonly isEnabled: boolean;
  /** Absent or empty: to every path. */
  readonly paths?: readonly string[];
}

/** Decides by the path of a request, which is compared as a whole and with nothing left out. */
export function allowsAnonymous({ isEnabled, paths = [] }: AnonymousAccess): (path: string) => boolean {
  if (!isEnabled || paths.length === 0) return () => isEnabled;
  const allowed: ReadonlySet<string> = new Set(paths);
  return (path) => allowed.has(decode(path));
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
