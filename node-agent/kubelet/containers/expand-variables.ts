/**
 * Replaces `$(NAME)` by what `lookUp` knows. `$$` is an escaped dollar sign, so `$$(NAME)` stays as `$(NAME)`; references
 * to unknown names and syntax that is none stay as they are.
 */
export function expandVariables(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) => {
    if (whole === '$$') return '$';
    return lookUp(name ?? '') ?? whole;
  });
}
