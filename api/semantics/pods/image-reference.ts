/** The parts of a container image reference; an absent registry means docker.io. */
interface ImageReference {
  /** With its registry and path as written, normalised: `docker.io/library/nginx`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:...` */
  readonly digest?: string;
}

const domainPart = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domain = new RegExp(`^(?:${domainPart}(?:\\.${domainPart})*|\\[[a-fA-F0-9:]+\\])(?::\\d+)?$`);
const pathComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** The greatest length of registry and path together. */
const maxNameLength = 255;

/** Reads a reference as the container runtimes do; undefined where it is none. */
export function findImageReference(text: string): ImageReference | undefined {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !digestPattern.test(digest)) return undefined;
  let name = at < 0 ? text : text.slice(0, at);
  let tag: string | undefined;
  const colon = name.lastIndexOf(':');
  if (colon > name.lastIndexOf('/')) {
    tag = name.slice(colon + 1);
    name = name.slice(0, colon);
    if (!tagPattern.test(tag)) return undefined;
  }
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const registry = !hasDomain || first === 'index.docker.io' ? 'docker.io' : first;
  let path = hasDomain ? name.slice(slash + 1) : name;
  if (registry === 'docker.io' && !path.includes('/')) path = `library/${path}`;
  if (registry.length + 1 + path.length > maxNameLength) return undefined;
  if (!domain.test(registry) || !path.split('/').every((component) => pathComponent.test(component))) return undefined;
  return { repository: `${registry}/${path}`, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The default pull policy of an image: Always for the tag `latest`, and without tag and digest. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  const reference = findImageReference(image);
  if (reference === undefined) return 'IfNotPresent';
  const tag = reference.tag ?? (reference.digest === undefined ? 'latest' : '');
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/** The reference in full, `latest` where neither tag nor digest is given. */
export function formatImageReference({ repository, tag, digest }: ImageReference): string {
  const shownTag = tag ?? (digest === undefined ? 'latest' : undefined);
  return repository + (shownTag === undefined ? '' : `:${shownTag}`) + (digest === undefined ? '' : `@${digest}`);
}
