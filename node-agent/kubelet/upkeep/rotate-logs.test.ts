import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import { rotateLogs } from './rotate-logs.ts';

const mebibyte = 1024 * 1024;

/** Containers `small`, `large`, `linked` (the runtime keeps its log elsewhere), `ended` and `other`, and what was done to them and their files in `rounds` looks at them. */
async function lookedAt(rounds: number): Promise<string[]> {
  const done: string[] = [];
  const runtime = {
    listContainers: async () => [
      { id: 'small', state: 'CONTAINER_RUNNING' },
      { id: 'large', state: 'CONTAINER_RUNNING' },
      { id: 'linked', state: 'CONTAINER_RUNNING' },
      { id: 'ended', state: 'CONTAINER_EXITED' },
      { id: 'other', state: 'CONTAINER_RUNNING' },
    ],
    containerStatus: async (id: string) => {
      done.push(`asked for ${id}`);
      return { log_path: id === 'other' ? '/elsewhere/0.log' : `/logs/${id}/0.log` };
    },
    reopenContainerLog: async (id: string) => void done.push(`reopened ${id}`),
  } as unknown as ContainerRuntime;
  const files = {
    facts: async (path: string) => ({
      kind: path.includes('linked') ? 'symlink' : 'file',
      sizeBytes: (path.includes('small') ? 9 : 11) * mebibyte,
    }),
    rename: async (from: string, to: string) => void done.push(`${from} to ${to}`),
    names: async () => ['0.log', ...[1, 2, 3, 4, 5].map((n) => `0.log.00000000000000${n}`), '1.log'],
    remove: async (path: string) => void done.push(`removed ${path}`),
  } as unknown as HostFiles;
  const clock = createManualClock(1000);
  const stop = new AbortController();
  const logger = { ...silentLogger, warn: (text: string) => void done.push(text) };
  const running = rotateLogs({ runtime, files, clock, logger, podLogs: '/logs' }, stop.signal);
  await clock.advance(rounds * 10_000);
  stop.abort();
  await running;
  return done;
}

describe('rotation of logs', () => {
  it('sets aside what is too large, keeps four of these, and leaves logs that are not of Pods', async () => {
    assert.deepEqual(await lookedAt(1), [
      'asked for small',
      'asked for large',
      '/logs/large/0.log to /logs/large/0.log.000000000011000',
      'reopened large',
      'removed /logs/large/0.log.000000000000001',
      'asked for linked',
      'asked for other',
    ]);
  });

  it('asks once where a container logs', async () => {
    const asked = (await lookedAt(3)).filter((what) => what.startsWith('asked'));
    assert.deepEqual(asked, ['asked for small', 'asked for large', 'asked for linked', 'asked for other']);
  });
});
