/**
 * The reason why a patch cannot be applied. malformed: it is not a patch. unfit: it does not fit the object. too-large: it is refused for
 * its size. unexpected: upstream answers it with a bare 500.
 */
type PatchErrorReason = 'malformed' | 'unfit' | 'too-large' | 'unexpected';

export class PatchError extends Error {
  readonly reason: PatchErrorReason;
  constructor(reason: PatchErrorReason, message: string) {
    super(message);
    this.name = 'PatchError';
    this.reason = reason;
  }
}
