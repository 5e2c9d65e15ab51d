interface KubeVersion {
  readonly major: number;
  /** alpha 0, beta 1, stable 2. */
  readonly stability: number;
  readonly minor: number;
}

/** Compares API versions as they are preferred: v2 > v1 > v1beta2 > v1beta1 > v1alpha1 > whatever has another form. */
export function compareKubeVersions(a: string, b: string): number {
  const [first, second] = [parse(a), parse(b)];
  if (first === undefined && second === undefined) return a === b ? 0 : a < b ? 1 : -1;
  if (first === undefined || second === undefined) return first === undefined ? -1 : 1;
  return first.stability - second.stability || first.major - second.major || first.minor - second.minor;
}

function parse(text: string): KubeVersion | undefined {
  const [whole, major, stability, minor] = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return { major: Number(major), stability: stability === 'alpha' ? 0 : stability === 'beta' ? 1 : 2, minor: Number(minor ?? 0) };
}
