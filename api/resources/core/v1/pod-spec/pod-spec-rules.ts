/** The differences between the rules for a Pod's spec, by the object that contains it. */
export interface PodSpecRules {
  /** True for a Pod. Templates may leave out fields that only a Pod needs. */
  readonly isPod: boolean;
  /** The name of the Pod, where it is known: names of claims that its ephemeral volumes get are made of it. */
  readonly podName: string;
}

export const templateRules: PodSpecRules = { isPod: false, podName: '' };
