import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { Lister } from '../../../../api/client/informers/informer.ts';
import type { KubeObject } from '../../../../api/meta/object.ts';
import { SelectorError } from '../../../../api/selectors/label-selector.ts';
import type { MutatingWebhook, ValidatingWebhook } from '../../../../api/types/admissionregistration-v1.ts';
import { compileWebhookCriteria, type MatchCriteria } from '../matching/match-request.ts';

type Webhook = DeepReadonly<ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>>;

/** A webhook of a configuration, compiled once for each state of the configuration. */
export interface CompiledWebhook {
  readonly webhook: Webhook;
  /** The name of the configuration. */
  readonly configuration: string;
  /** Tells the webhook from all others, those of its name too. */
  readonly uid: string;
  /** A text: the selectors cannot be read. */
  readonly criteria: MatchCriteria | string;
}

type Configuration = DeepReadonly<KubeObject & { webhooks?: Webhook[] }>;

/** The webhooks of all configurations at this moment, in the order of the configurations' names. */
export function createWebhookSource(lister: Lister<KubeObject & { webhooks?: ValidatingWebhook[] }>): () => readonly CompiledWebhook[] {
  const compiled = new WeakMap<Configuration, readonly CompiledWebhook[]>();
  let version = -1;
  let webhooks: readonly CompiledWebhook[] = [];
  const compile = (configuration: Configuration): readonly CompiledWebhook[] => {
    const known = compiled.get(configuration);
    if (known) return known;
    const made = compileConfiguration(configuration);
    compiled.set(configuration, made);
    return made;
  };
  return () => {
    if (lister.version() === version) return webhooks;
    version = lister.version();
    const configurations = lister.list() as readonly Configuration[];
    const nameOf = ({ metadata }: Configuration) => metadata.name ?? '';
    webhooks = configurations.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).flatMap(compile);
    return webhooks;
  };
}

function compileConfiguration({ metadata, webhooks = [] }: Configuration): CompiledWebhook[] {
  const counts = new Map<string, number>();
  return webhooks.map((webhook) => {
    const count = counts.get(webhook.name) ?? 0;
    counts.set(webhook.name, count + 1);
    return {
      webhook,
      configuration: metadata.name ?? '',
      uid: `${metadata.name}/${webhook.name}/${count}`,
      criteria: compileCriteria(webhook),
    };
  });
}

function compileCriteria(webhook: Webhook): MatchCriteria | string {
  try {
    return compileWebhookCriteria(webhook);
  } catch (error) {
    if (error instanceof SelectorError) return error.message;
    throw error;
  }
}
