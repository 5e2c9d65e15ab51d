import { methodNotAllowed, notFound } from '../../../../api/meta/status-errors.ts';
import { componentStatuses as definition } from '../../../../api/resources/core/v1/component-status.ts';
import type { SubresourceHandler } from './subresource.ts';

/** Deprecated since v1.19: the components of this control plane are not looked at one by one, so there are none to show. */
export const componentStatuses: SubresourceHandler = {
  group: definition.group,
  resource: definition.names.plural,
  subresource: '',
  async handle(context, { respondList }) {
    const { verb, name } = context.info;
    if (verb === 'get') throw notFound(definition, name);
    if (verb !== 'list') throw methodNotAllowed();
    context.addWarning('v1 ComponentStatus is deprecated in v1.19+');
    return respondList(context, definition, []);
  },
};
