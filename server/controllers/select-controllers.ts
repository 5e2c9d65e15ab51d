/**
 * The controllers that a list like that of kube-controller-manager's `--controllers` enables: `*` enables all, `foo` enables foo, `-foo`
 * disables it. A name takes precedence over `*`, whatever the order; an empty list enables none.
 */
export function selectControllers<T extends { readonly name: string }>(
  controllers: readonly T[],
  enabled: readonly string[],
): readonly T[] {
  const known = new Set(['*', ...controllers.map(({ name }) => name)]);
  const unknown = enabled.find((name) => !known.has(name.replace(/^-/, '')));
  if (unknown !== undefined) throw new Error(`"${unknown.replace(/^-/, '')}" is not in the list of known controllers`);
  const named = new Set(enabled);
  return controllers.filter(({ name }) => named.has(name) || (named.has('*') && !named.has(`-${name}`)));
}
