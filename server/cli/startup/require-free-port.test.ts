import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { requireFreePort } from './require-free-port.ts';

describe('requireFreePort', () => {
  it('says which port is taken and what to do', async () => {
    const taken = createServer().listen(0);
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const asked = { what: "the kubelet's", flag: '--kubelet-port' };
    await assert.rejects(requireFreePort(port, asked), {
      message: `port ${port}, the kubelet's, is taken by another program; choose another with --kubelet-port`,
    });
    taken.close();
    await once(taken, 'close');
    await requireFreePort(port, asked);
  });
});
