/**
 * Replaces `$(NAME)` by the value that `lookUp` returns. `$$` is an escaped dollar sign, so `$$(NAME)` becomes `$(NAME)`; unknown names and
 * other uses of a dollar sign stay unchanged.
 */
export function expandVariables(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) => {
    if (whole === '$$') return '$';
    return lookUp(name ?? '') ?? whole;
  });
}
