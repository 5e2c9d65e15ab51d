import { Environment, type EnvironmentOptions } from './environment.ts';
import { formatLibrary } from './libraries/formats.ts';
import { kubernetesCallCost } from './libraries/kubernetes-costs.ts';
import { estimateKubernetesCall } from './libraries/kubernetes-estimates.ts';
import { extendedListsLibrary, listsLibrary, setsLibrary } from './libraries/lists.ts';
import { cidrLibrary, ipLibrary } from './libraries/networks.ts';
import { optionalLibrary } from './libraries/optionals.ts';
import { quantityLibrary } from './libraries/quantity.ts';
import { regexLibrary } from './libraries/regex-library.ts';
import { semverLibrary } from './libraries/semver.ts';
import { stringsLibrary } from './libraries/strings.ts';
import { twoVariableLibrary } from './libraries/two-variable-comprehensions.ts';
import { urlsLibrary } from './libraries/urls.ts';
import { crossTypeComparisonLibrary, standardLibrary } from './libraries/standard/standard-library.ts';
import type { CELType } from './types/types.ts';
import type { Library } from './declarations.ts';

/** The libraries that every expression of Kubernetes may use. The authorizer's functions are added by whoever has an authorizer. */
export const kubernetesLibraries: readonly Library[] = [
  { functions: [], callCost: kubernetesCallCost, estimateCall: estimateKubernetesCall },
  standardLibrary,
  crossTypeComparisonLibrary,
  optionalLibrary,
  stringsLibrary,
  listsLibrary,
  extendedListsLibrary,
  setsLibrary,
  regexLibrary,
  urlsLibrary,
  quantityLibrary,
  ipLibrary,
  cidrLibrary,
  formatLibrary,
  semverLibrary,
  twoVariableLibrary,
];

/** An environment as Kubernetes makes it: its libraries, homogeneous literals, has() for free. */
export function createKubernetesEnvironment(
  variables: Readonly<Record<string, CELType>>,
  more: Omit<Partial<EnvironmentOptions>, 'variables'> = {},
): Environment {
  return new Environment({
    validateLiterals: true,
    presenceTestHasCost: false,
    ...more,
    libraries: [...kubernetesLibraries, ...(more.libraries ?? [])],
    variables,
  });
}
