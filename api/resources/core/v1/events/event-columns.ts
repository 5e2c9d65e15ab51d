import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { formatTimeSince, wideColumn, textColumn } from '../../../../resource/columns.ts';
import type { PrinterColumn } from '../../../../resource/resource-definition.ts';
import type { KubeObject } from '../../../../meta/object.ts';
import type { Event } from '../../../../types/core-v1.ts';

type CoreEvent = DeepReadonly<Event>;

function firstSeen(event: CoreEvent): string | undefined {
  return event.firstTimestamp ?? event.eventTime ?? undefined;
}

function lastSeen(event: CoreEvent): string | undefined {
  return event.series?.lastObservedTime ?? event.lastTimestamp ?? firstSeen(event);
}

function involvedObject({ involvedObject: { kind = '', name } = {} }: CoreEvent): string {
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();
}

function source({ source: from, reportingComponent, reportingInstance }: CoreEvent): string {
  const component = from?.component || reportingComponent || '';
  const host = from?.host || reportingInstance || '';
  return host === '' ? component : `${component}, ${host}`;
}

/** Columns of Events in both groups; `toCore` gives the object in the older form. */
export function eventColumns<T extends KubeObject>(toCore: (object: DeepReadonly<T>) => CoreEvent): PrinterColumn<T>[] {
  return [
    textColumn('Last Seen', (event, { nowMs }) => formatTimeSince(lastSeen(toCore(event)), nowMs)),
    textColumn('Type', (event) => toCore(event).type ?? ''),
    textColumn('Reason', (event) => toCore(event).reason ?? ''),
    textColumn('Object', (event) => involvedObject(toCore(event))),
    wideColumn('Subobject', (event) => toCore(event).involvedObject?.fieldPath ?? ''),
    wideColumn('Source', (event) => source(toCore(event))),
    textColumn('Message', (event) => (toCore(event).message ?? '').trim()),
    wideColumn('First Seen', (event, { nowMs }) => formatTimeSince(firstSeen(toCore(event)), nowMs)),
    // Events of the newer form that happened once do not count.
    wideColumn('Count', (event) => toCore(event).series?.count ?? (toCore(event).count || 1)),
    { ...wideColumn<T>('Name', ({ metadata }) => metadata.name ?? ''), format: 'name' },
  ];
}
