export interface Refusal {
  readonly reason: string;
  readonly message: string;
}
