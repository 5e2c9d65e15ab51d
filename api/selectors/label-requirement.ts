export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** One condition of a selector on the label of one key. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** The values: none for exists and !, one for =, ==, !=, gt, lt. */
  readonly values: readonly string[];
}
