import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import type { ObjectMeta } from '../../../api/types/meta-v1.ts';
import { hasReason } from '../../../api/meta/status.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { flowSchemas } from '../../../api/resources/flowcontrol/v1/flow-schema.ts';
import { priorityLevelConfigurations } from '../../../api/resources/flowcontrol/v1/priority-level-configuration.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../../../api/types/flowcontrol-v1.ts';
import { defaultFlowSchemas, defaultPriorityLevels, isMandatory } from './flow-control.ts';

const fieldManager = 'api-priority-and-fairness-config-producer-v1';
const autoUpdate = 'apf.kubernetes.io/autoupdate-spec';

interface Configuration {
  metadata: ObjectMeta;
  spec?: unknown;
}

/**
 * Creates the default FlowSchemas and PriorityLevelConfigurations. The mandatory ones are restored; the suggested ones are updated until a
 * user changes them or forbids it by their annotation; defaults of earlier versions are deleted.
 */
export async function ensureFlowControl(client: Client): Promise<void> {
  await Promise.all(defaultPriorityLevels.map((one) => ensure(client, priorityLevelConfigurations, one)));
  await Promise.all(defaultFlowSchemas.map((one) => ensure(client, flowSchemas, one)));
  await removeFormer<FlowSchema>(client, flowSchemas, defaultFlowSchemas);
  await removeFormer<PriorityLevelConfiguration>(client, priorityLevelConfigurations, defaultPriorityLevels);
}

async function ensure<T extends Configuration>(client: Client, resource: ResourceDefinition<T>, wanted: T): Promise<void> {
  const key = { namespace: '', name: wanted.metadata.name ?? '' };
  const present = await ignoreNotFound(client(resource).get(key));
  try {
    if (!present) {
      await client(resource).create(wanted, { fieldManager });
      return;
    }
    const revised = reviseConfiguration(present, wanted);
    if (revised) await client(resource).update(revised, { fieldManager });
  } catch (error) {
    // Another server does the same at the same time; or the object is being changed, and looked at again in a minute.
    if (!hasReason(error, 'AlreadyExists') && !hasReason(error, 'Conflict')) throw error;
  }
}

/** The object as it should be; undefined if it is so already. */
function reviseConfiguration<T extends Configuration>(present: T, wanted: T): T | undefined {
  const annotation = parseBoolean(present.metadata.annotations?.[autoUpdate]);
  // Without a word in the annotation, a spec that was never changed may follow the defaults.
  const updates = isMandatory(wanted.metadata.name ?? '') || (annotation ?? present.metadata.generation === 1);
  const isCurrent = !updates || isSemanticallyEqual({ ...asObject(present.spec), ...asObject(wanted.spec) }, present.spec);
  if (isCurrent && annotation === updates) return undefined;
  return {
    ...present,
    metadata: { ...present.metadata, annotations: { ...present.metadata.annotations, [autoUpdate]: String(updates) } },
    ...(isCurrent ? {} : { spec: wanted.spec }),
  };
}

async function removeFormer<T extends Configuration>(
  client: Client,
  resource: ResourceDefinition<T>,
  defaults: readonly T[],
): Promise<void> {
  const wanted = new Set(defaults.map(({ metadata }) => metadata.name));
  const { items } = await client(resource).list();
  for (const { metadata } of items) {
    const isFormer = !wanted.has(metadata.name) && parseBoolean(metadata.annotations?.[autoUpdate]) === true;
    if (isFormer) await ignoreNotFound(client(resource).delete({ namespace: '', name: metadata.name ?? '' }));
  }
}

/** Go's ParseBool. */
function parseBoolean(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text) ? false : undefined;
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
