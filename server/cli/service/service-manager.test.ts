import assert from 'node:assert/strict';
import { parseServiceState } from './service-manager.ts';

describe('what systemd says of a service', () => {
  const said = 'MainPID=42\nNRestarts=3\nStatusText=a=b\nLoadState=loaded\nActiveState=activating\nUnitFileState=enabled\n';
  it('is read whatever its order', () =>
    assert.deepEqual(parseServiceState(said), { active: 'activating', mainPID: 42, isEnabled: true, restarts: 3, status: 'a=b' }));
  it('is nothing of a unit that it does not have', () =>
    assert.equal(parseServiceState('MainPID=0\nLoadState=not-found\nActiveState=inactive\n'), undefined));
});
