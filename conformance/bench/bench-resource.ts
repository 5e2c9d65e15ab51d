/** A kind of objects that are worked with. */
export interface BenchResource {
  readonly plural: string;
  readonly kind: string;
  /** The CustomResourceDefinition of a kind that is not built in. */
  readonly definition?: Readonly<Record<string, unknown>>;
  /** The path of the collection in a namespace. */
  collection(inNamespace: string): string;
  /** The body of an object to create, with these labels. */
  body(name: string, labels: Readonly<Record<string, string>>): string;
}
