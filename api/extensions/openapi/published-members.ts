import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { CustomResourceDefinition } from '../../types/apiextensions-v1.ts';
import { openAPIOf } from './open-api-of.ts';
import type { PublishedParameters } from './published-parameters.ts';

/** The members of an OpenAPI 2 document that describe one version of a custom kind, as JSON, each with a comma behind it. */
interface PublishedMembers {
  readonly paths: string;
  readonly definitions: string;
}

export function publishedMembersOf(
  crd: DeepReadonly<CustomResourceDefinition>,
  version: string,
  parameters: PublishedParameters,
): PublishedMembers {
  const shown = openAPIOf(crd, version, 'v2', parameters);
  return { paths: membersOf(shown?.paths ?? {}), definitions: membersOf(shown?.schemas ?? {}) };
}

function membersOf(values: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (const [name, value] of Object.entries(values)) text += `${JSON.stringify(name)}:${JSON.stringify(value)},`;
  return text;
}
