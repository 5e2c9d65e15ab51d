import assert from 'node:assert/strict';
import type { Node, PersistentVolume, Pod } from '../../../api/types/core-v1.ts';
import type { VolumeAttachment } from '../../../api/types/storage-v1.ts';
import { maxWaitMs, planAttachments, type WantedVolume } from './attachment-plan.ts';

const id = (digit: string) => `csi-${digit.repeat(64)}`;
const volume = (name: string): PersistentVolume => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], csi: { driver: 'd', volumeHandle: name } },
});
const pod: Pod = { metadata: { name: 'p' }, spec: { containers: [] } };
const want = (digit: string): WantedVolume => ({
  attachment: id(digit),
  volume: volume(digit),
  pods: [pod],
});
const present = (digit: string, attached = true, more: Partial<VolumeAttachment['metadata']> = {}): VolumeAttachment => ({
  metadata: { name: id(digit), ...more },
  spec: { attacher: 'd', nodeName: 'n', source: { persistentVolumeName: digit } },
  status: { attached },
});
const node = (volumesInUse: string[] = [], ready = true, taints: string[] = []): Node => ({
  metadata: { name: 'n' },
  spec: { taints: taints.map((key) => ({ key, effect: 'NoExecute' })) },
  status: { volumesInUse, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});

interface Case {
  readonly says: string;
  readonly node?: Node;
  readonly wanted?: WantedVolume[];
  readonly present?: VolumeAttachment[];
  readonly elsewhere?: string[];
  readonly unwantedMs?: number;
  readonly expected: string;
}

function planned({ node: own = node(), wanted = [], present: there = [], elsewhere = [], unwantedMs = 0 }: Case): string {
  const plan = planAttachments({
    node: own,
    wanted,
    present: there,
    isElsewhere: (name) => elsewhere.includes(name),
    uniqueName: ({ spec }) => spec.source.persistentVolumeName,
    unwantedMs: () => unwantedMs,
  });
  const short = (name: string) => name[4] ?? '';
  return [
    ...plan.attach.map(({ attachment }) => `attach ${short(attachment)}`),
    ...plan.blocked.map(({ attachment }) => `blocked ${short(attachment)}`),
    ...plan.busy.map((name) => `busy ${short(name)}`),
    ...plan.detach.map((name) => `detach ${short(name)}`),
    ...plan.attached.map(({ name }) => `has ${name}`),
  ].join(', ');
}

describe('planAttachments', () => {
  const cases: Case[] = [
    { says: 'attaches what Pods want', wanted: [want('a')], expected: 'attach a' },
    { says: 'waits for what is being attached', wanted: [want('a')], present: [present('a', false)], expected: '' },
    { says: 'tells the node what it has', wanted: [want('a')], present: [present('a')], expected: 'has a' },
    { says: 'leaves to another node what only one may have', wanted: [want('a')], elsewhere: ['a'], expected: 'blocked a' },
    { says: 'detaches what nobody wants, and tells the node before', present: [present('a')], expected: 'detach a' },
    { says: 'waits while the node uses it', node: node(['a']), present: [present('a')], expected: 'busy a, has a' },
    {
      says: 'waits for a node that answers however long it takes',
      node: node(['a']),
      present: [present('a')],
      unwantedMs: maxWaitMs,
      expected: 'busy a, has a',
    },
    {
      says: 'does not wait for one that is silent',
      node: node(['a'], false),
      present: [present('a')],
      unwantedMs: maxWaitMs,
      expected: 'detach a',
    },
    {
      says: 'does not wait for one that is out of service',
      node: node(['a'], false, ['node.kubernetes.io/out-of-service']),
      present: [present('a')],
      expected: 'detach a',
    },
    {
      says: 'leaves what is being detached',
      present: [present('a', true, { deletionTimestamp: '2026-01-01T00:00:00Z' })],
      expected: '',
    },
    { says: 'leaves the attachments of others', present: [{ ...present('a'), metadata: { name: 'mine' } }], expected: 'has a' },
  ];
  for (const one of cases) it(one.says, () => assert.equal(planned(one), one.expected));
});
