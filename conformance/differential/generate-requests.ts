import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import type { DifferentialRequest } from './differential-request.ts';
import { accessRequests } from './requests/access.ts';
import { authenticationRequests } from './requests/authentication.ts';
import { certificateSigningRequests } from './requests/certificates.ts';
import { impersonationRequests } from './requests/impersonation.ts';
import { nodeRequests } from './requests/nodes.ts';
import { pathRequests } from './requests/paths.ts';
import { podSecurityRequests } from './requests/pod-security.ts';
import { reviewRequests } from './requests/reviews.ts';
import { roleRequests } from './requests/roles.ts';
import { tokenRequests } from './requests/service-accounts.ts';

export interface GeneratorOptions {
  readonly seed: number;
  /** The number of requests of each random part but the paths. */
  readonly each: number;
  readonly paths: number;
}

/** All requests of a run, the same for the same seed. */
export function* generateRequests({ seed, each, paths }: GeneratorOptions, identities: Iterable<string>): Generator<DifferentialRequest> {
  const parts = [
    accessRequests,
    impersonationRequests,
    reviewRequests,
    tokenRequests,
    roleRequests,
    certificateSigningRequests,
    nodeRequests,
    podSecurityRequests,
  ];
  yield* authenticationRequests(identities);
  for (const [index, part] of parts.entries()) yield* part(createSeededRandom(seed + index), each);
  yield* pathRequests(createSeededRandom(seed + parts.length), paths);
}
