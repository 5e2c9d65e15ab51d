/**
 * The controllers that a list as of kube-controller-manager's `--controllers` enables: `*` is all of them, `foo` the one
 * of that name, `-foo` leaves it out. What is named weighs more than `*`, whatever the order; an empty list is none.
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
