import { formatTime, parseTime } from '../../../api/meta/time.ts';
import { type Check, error, ok, warning } from '../check.ts';

/** A certificate is valid from its making on, and a year that is over makes all of them invalid. */
const firstPossibleMs = parseTime('2026-01-01T00:00:00Z');
const maxSkewMs = 10_000;
const maxBearableSkewMs = 300_000;

/** Compares the machine's clock with the cluster's if it joins one; else checks whether it follows a time server. */
export const clock: Check = {
  name: 'Clock',
  run({ nowMs, isClockSynchronized, hasSystemd }, { serverAheadMs }) {
    const { name } = clock;
    const service = hasSystemd ? 'apt-get install -y systemd-timesyncd, or chrony' : 'run chronyd or another time service';
    if (nowMs < firstPossibleMs)
      return [error(name, `the clock says ${formatTime(nowMs)}: certificates are not valid then`, `set it: date -s TIME; then ${service}`)];
    if (serverAheadMs !== undefined && Math.abs(serverAheadMs) > maxSkewMs) {
      const message = `the clock is ${Math.round(Math.abs(serverAheadMs) / 1000)} s ${serverAheadMs > 0 ? 'behind' : 'ahead of'} the API server's`;
      const isFatal = Math.abs(serverAheadMs) > maxBearableSkewMs;
      return [(isFatal ? error : warning)(name, message, `let both follow a time server: ${service}`)];
    }
    if (isClockSynchronized === false)
      return [warning(name, 'the clock does not follow a time server, or has not met one yet', `${service}; timedatectl tells`)];
    return [ok(name, isClockSynchronized ? 'follows a time server' : 'not known whether it follows a time server')];
  },
};
