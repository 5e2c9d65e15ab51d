import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type {
  ConfigMap,
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
  SecretVolumeSource,
} from '../../../api/types/core-v1.ts';
import { fieldValue, type NodeAllocatable, type PodAddresses, resourceValue } from '../containers/field-values.ts';
import type { PayloadFile } from './atomic-writer.ts';

type Files = Map<string, PayloadFile>;

interface Selection {
  readonly items: readonly DeepReadonly<KeyToPath>[] | undefined;
  readonly defaultMode: number;
  readonly optional: boolean;
  /** Name of the keys in messages. */
  readonly noun: string;
}

/** All keys, or those chosen under the paths given. Throws a plain Error with upstream's words. */
function select(data: Readonly<Record<string, Uint8Array>>, { items, defaultMode, optional, noun }: Selection): Files {
  const files: Files = new Map();
  if (!items || items.length === 0) {
    for (const [key, content] of Object.entries(data)) files.set(key, { content, mode: defaultMode });
    return files;
  }
  for (const { key, path, mode } of items) {
    const content = data[key];
    if (content !== undefined) files.set(path, { content, mode: mode ?? defaultMode });
    else if (!optional) throw new Error(`references non-existent ${noun} key: ${key}`);
  }
  return files;
}

const utf8 = new TextEncoder();

function fromBase64(data: Readonly<Record<string, string>> | undefined): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}

export function configMapFiles(
  source: Pick<DeepReadonly<ConfigMapVolumeSource>, 'name' | 'items' | 'optional'>,
  found: DeepReadonly<ConfigMap> | undefined,
  defaultMode: number,
): Files {
  if (!found && !source.optional) throw new Error(`configmap "${source.name}" not found`);
  const text = Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, utf8.encode(value)]));
  const selection = { items: source.items, defaultMode, optional: source.optional ?? false, noun: 'config' };
  return select({ ...text, ...fromBase64(found?.binaryData) }, selection);
}

export function secretFiles(
  source: Pick<DeepReadonly<SecretVolumeSource>, 'items' | 'optional'> & { readonly name: string },
  found: DeepReadonly<Secret> | undefined,
  defaultMode: number,
): Files {
  if (!found && !source.optional) throw new Error(`secret "${source.name}" not found`);
  return select(fromBase64(found?.data), { items: source.items, defaultMode, optional: source.optional ?? false, noun: 'secret' });
}

export function downwardAPIFiles(
  items: readonly DeepReadonly<DownwardAPIVolumeFile>[],
  context: { readonly pod: DeepReadonly<Pod>; readonly addresses: PodAddresses; readonly allocatable: NodeAllocatable },
  defaultMode: number,
): Files {
  const files: Files = new Map();
  for (const { path, mode, fieldRef, resourceFieldRef } of items) {
    let value = '';
    if (fieldRef) value = fieldValue(fieldRef.fieldPath, context.pod, context.addresses);
    else if (resourceFieldRef) value = resourceValue(resourceFieldRef, context.pod, undefined, context.allocatable);
    files.set(path, { content: utf8.encode(value), mode: mode ?? defaultMode });
  }
  return files;
}
