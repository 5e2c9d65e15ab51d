/** An answer other than success; the text is the whole body, as kubelets answer. */
export class HTTPProblem extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'HTTPProblem';
    this.status = status;
  }
}
