import assert from 'node:assert/strict';
import { createNodePortAddresses, machineAddresses, ownAddresses } from './machine-addresses.ts';

describe('addresses of the machine', () => {
  it('for node ports are the node’s own where nobody says otherwise', async () => {
    for (const choice of [[], ['primary']]) {
      assert.deepEqual(await createNodePortAddresses(choice, ['192.0.2.1', '2001:db8::1'])(), ['192.0.2.1', '2001:db8::1']);
    }
  });

  it('for node ports are those of all interfaces within ranges, but for loopback', async () => {
    const all = machineAddresses().filter((address) => address !== '::1' && !address.startsWith('127.'));
    assert.deepEqual(await createNodePortAddresses(['0.0.0.0/0', '::/0'], ['192.0.2.1'])(), all);
    assert.deepEqual(await createNodePortAddresses(['127.0.0.0/8', '192.0.2.255/32'], ['192.0.2.1'])(), []);
    const four = all.filter((address) => !address.includes(':'));
    assert.deepEqual(await createNodePortAddresses(['0.0.0.0/0'], [])(), four);
  });

  it('are named wrongly in words for the user', () => {
    assert.throws(() => createNodePortAddresses(['eth0'], []), /--nodeport-addresses takes CIDRs, or primary: eth0/);
  });

  it('of the node are the one it is known by, and others only of its interface', () => {
    assert.deepEqual(ownAddresses(undefined, ['IPv4']), []);
    assert.deepEqual(ownAddresses('192.0.2.99', ['IPv4', 'IPv6']), ['192.0.2.99']);
    assert.deepEqual(ownAddresses('127.0.0.1', ['IPv4', 'IPv6']), ['127.0.0.1']);
  });
});
