/**
 * Where in an object a value stands: `spec.containers[0].name`, `metadata.labels[app]`. Immutable and cheap to extend; the
 * text is only made when asked for. Start from `FieldPath.root`.
 */
export class FieldPath {
  static readonly root: FieldPath = new FieldPath(undefined, '', false);

  readonly #parent: FieldPath | undefined;
  readonly #element: string;
  readonly #isSubscript: boolean;

  private constructor(parent: FieldPath | undefined, element: string, isSubscript: boolean) {
    this.#parent = parent;
    this.#element = element;
    this.#isSubscript = isSubscript;
  }

  /** A field below this one; several names go several levels down. */
  child(name: string, ...deeper: readonly string[]): FieldPath {
    let path = new FieldPath(this, name, false);
    for (const next of deeper) path = new FieldPath(path, next, false);
    return path;
  }

  /** An element of a list. */
  index(index: number): FieldPath {
    return new FieldPath(this, String(index), true);
  }

  /** An entry of a map. */
  key(key: string): FieldPath {
    return new FieldPath(this, key, true);
  }

  /** The root itself reads `<nil>`, as upstream's messages show it. */
  toString(): string {
    if (this.#parent === undefined) return '<nil>';
    let text = '';
    for (let path: FieldPath = this; path.#parent !== undefined; path = path.#parent) {
      const isFirst = path.#parent.#parent === undefined;
      text = (path.#isSubscript ? `[${path.#element}]` : isFirst ? path.#element : `.${path.#element}`) + text;
    }
    return text;
  }
}
