import { Environment, type EnvironmentOptions, type Library } from './environment.ts';
import { standardLibrary } from './standard/standard-library.ts';
import type { CELType } from './types.ts';

/** What every expression of Kubernetes may use. */
export const kubernetesLibraries: readonly Library[] = [standardLibrary];

/** An environment as Kubernetes makes it: its libraries, homogeneous literals, has() for free. */
export function createKubernetesEnvironment(
  variables: Readonly<Record<string, CELType>>,
  more: Omit<Partial<EnvironmentOptions>, 'variables'> = {},
): Environment {
  return new Environment({
    homogeneousLiterals: true,
    validateLiterals: true,
    presenceTestHasCost: false,
    ...more,
    libraries: [...kubernetesLibraries, ...(more.libraries ?? [])],
    variables,
  });
}
