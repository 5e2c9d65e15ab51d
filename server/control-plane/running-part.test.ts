import assert from 'node:assert/strict';
import { createRunningPart } from './running-part.ts';

describe('a part of the control plane', () => {
  it('is healthy from its start until it fails', async () => {
    const part = createRunningPart('scheduler');
    const check = () => part.checkHealth(new AbortController().signal);
    await assert.rejects(check(), /not started/);
    const { promise, reject } = Promise.withResolvers<void>();
    const running = part.follow(promise);
    await check();
    reject(new Error('gone'));
    await assert.rejects(running, /gone/);
    await assert.rejects(check(), /gone/);
  });
});
