import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateChoice } from '../../../resource/field-rules.ts';
import type { LimitedPriorityLevelConfiguration, PriorityLevelConfiguration } from '../../../types/flowcontrol-v1.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { inclusiveRangeMessage, validateNonnegative } from '../../../validation/formats.ts';

/** How many requests of a kind are served at once, and how the others wait. */
export const priorityLevelConfigurations = defineResource<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'PriorityLevelConfiguration', plural: 'prioritylevelconfigurations' },
  definition: 'io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration',
  resetFields: { status: [['spec'], ['metadata']] },
  subresources: {
    status: { kind: 'PriorityLevelConfiguration', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'prioritylevelconfigurations',
  formerVersions: ['v1beta3'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  printerColumns: [
    nameColumn,
    textColumn('Type', ({ spec }) => spec?.type ?? ''),
    textColumn('NominalConcurrencyShares', ({ spec }) => (spec?.limited ? (spec.limited.nominalConcurrencyShares ?? 0) : '<none>')),
    textColumn('Queues', ({ spec }) => spec?.limited?.limitResponse?.queuing?.queues ?? '<none>'),
    textColumn('HandSize', ({ spec }) => spec?.limited?.limitResponse?.queuing?.handSize ?? '<none>'),
    textColumn('QueueLengthLimit', ({ spec }) => spec?.limited?.limitResponse?.queuing?.queueLengthLimit ?? '<none>'),
    ageColumn,
  ],
  validate({ spec }, path) {
    const at = path.child('spec');
    const { type = '', limited, exempt } = spec ?? {};
    if (type === 'Exempt') {
      const errors = limited === undefined ? [] : [forbidden(at.child('limited'), 'must be nil if the type is not Limited')];
      return [...errors, ...validatePercent(exempt?.lendablePercent, at.child('exempt', 'lendablePercent'))];
    }
    if (type !== 'Limited') return [notSupported(at.child('type'), type, ['Exempt', 'Limited'])];
    const errors: FieldError[] = exempt === undefined ? [] : [forbidden(at.child('exempt'), 'must be nil if the type is Limited')];
    if (limited === undefined) return [...errors, required(at.child('limited'), 'must not be empty when type is Limited')];
    return [...errors, ...validateLimited(limited, at.child('limited'))];
  },
});

function validatePercent(percent: number | undefined, path: FieldPath): FieldError[] {
  if (percent === undefined || (percent >= 0 && percent <= 100)) return [];
  return [invalid(path, percent, inclusiveRangeMessage(0, 100))];
}

function validateLimited(limited: DeepReadonly<LimitedPriorityLevelConfiguration>, path: FieldPath): FieldError[] {
  const { nominalConcurrencyShares, lendablePercent, borrowingLimitPercent, limitResponse } = limited;
  const errors = [
    ...validateNonnegative(path.child('nominalConcurrencyShares'), nominalConcurrencyShares ?? 0),
    ...validatePercent(lendablePercent, path.child('lendablePercent')),
    ...validateNonnegative(path.child('borrowingLimitPercent'), borrowingLimitPercent ?? 0),
  ];
  const at = path.child('limitResponse');
  const { type = '', queuing } = limitResponse ?? {};
  errors.push(...validateChoice(at.child('type'), type, ['Queue', 'Reject'], 'unsupported'));
  if (type === 'Reject' && queuing !== undefined)
    errors.push(forbidden(at.child('queuing'), 'must be nil if limited.limitResponse.type is not Limited'));
  if (type !== 'Queue') return errors;
  if (queuing === undefined)
    return [...errors, required(at.child('queuing'), 'must not be empty if limited.limitResponse.type is Limited')];
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  for (const [field, value] of Object.entries({ queueLengthLimit, queues, handSize })) {
    if (value <= 0) errors.push(invalid(at.child('queuing', field), value, 'must be positive'));
  }
  if (handSize > queues) errors.push(invalid(at.child('queuing', 'handSize'), handSize, `should not be greater than queues (${queues})`));
  return errors;
}
