/** How rules differ with what a Pod spec stands in. */
export interface PodSpecRules {
  /** Templates may leave open what only a Pod itself has to say. */
  readonly isPod: boolean;
  /** The name of the Pod, where it is known: names of claims that its ephemeral volumes get are made of it. */
  readonly podName: string;
}

export const templateRules: PodSpecRules = { isPod: false, podName: '' };
