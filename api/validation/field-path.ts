/**
 * The position of a value in an object: `spec.containers[0].name`, `metadata.labels[app]`. Immutable and cheap to extend; the text is made
 * only when it is read. Start from `FieldPath.root`.
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

  /** The path of a field below this one; with several names, several levels below. */
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
    const parent = this.#parent;
    if (parent === undefined) return '<nil>';
    const before = parent.#parent === undefined ? '' : parent.toString();
    if (this.#isSubscript) return `${before}[${this.#element}]`;
    return before === '' ? this.#element : `${before}.${this.#element}`;
  }
}
