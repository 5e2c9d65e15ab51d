import { methodNotAllowed, notFound } from '../../../api/meta/status-errors.ts';
import { componentStatuses as definition } from '../../../api/resources/core/v1/component-status.ts';
import type { ComponentStatus } from '../../../api/types/core-v1.ts';
import type { Component, SubresourceHandler } from './subresource.ts';

/** The health of the parts of this control plane, checked on each request. Deprecated since v1.19. */
export const componentStatuses: SubresourceHandler = {
  group: definition.group,
  resource: definition.names.plural,
  subresource: '',
  async handle(context, { components, respondItem, respondList }) {
    const { verb, name } = context.info;
    if (verb !== 'get' && verb !== 'list') throw methodNotAllowed();
    const ask = (component: Component) => askComponent(component, context.signal);
    context.addWarning('v1 ComponentStatus is deprecated in v1.19+');
    if (verb === 'list') return respondList(context, definition, await Promise.all(components.map(ask)));
    const component = components.find((one) => one.name === name);
    if (component === undefined) throw notFound(definition, name);
    return respondItem(context, definition, await ask(component));
  },
};

async function askComponent(component: Component, signal: AbortSignal): Promise<ComponentStatus> {
  const condition = await component.checkHealth(signal).then(
    () => ({ type: 'Healthy', status: 'True', message: 'ok' }),
    (error: unknown) => ({ type: 'Healthy', status: 'False', message: error instanceof Error ? error.message : String(error) }),
  );
  return { metadata: { name: component.name }, conditions: [condition] };
}
