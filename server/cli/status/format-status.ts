import { formatAge } from '../../../api/meta/duration.ts';
import { findTime } from '../../../api/meta/time.ts';
import { describeRotation } from '../certs/format-certificates.ts';
import type { Finding } from './assess-status.ts';
import type { ClusterFacts, StatusFacts } from './status-facts.ts';

const maxListed = 10;

/** Formats the status for a terminal, in one screen. */
export function formatStatus(facts: StatusFacts, findings: readonly Finding[], nowMs: number): string {
  const rows = [...processRows(facts, nowMs), ...clusterRows(facts.cluster), ...placeRows(facts)];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  const table = rows.map(([label, text]) => `${label.padEnd(width)}${text}`.trimEnd());
  const listed = findings.slice(0, maxListed).flatMap(({ problem, advice }) => [`✗ ${problem}`, `  → ${advice}`]);
  const more = findings.length > maxListed ? [`  and ${findings.length - maxListed} more; -o json has all`] : [];
  return [...table, '', ...(findings.length === 0 ? ['✓ all is well'] : [...listed, ...more]), ''].join('\n');
}

type Row = readonly [label: string, text: string];

function processRows({ version, runs, services, controlPlane, localNodes }: StatusFacts, nowMs: number): Row[] {
  const rows: Row[] = [['kubets', version]];
  for (const { command, pid, startedAt, unit } of runs) {
    const age = formatAge(nowMs - (findTime(startedAt) ?? nowMs));
    rows.push([`kubets ${command}`, `${unit ?? 'in the foreground'}, pid ${pid}, for ${age}`]);
  }
  for (const { unit, active, isEnabled, restarts } of services)
    rows.push([
      'service',
      `${unit} ${active}, ${isEnabled ? 'starts at boot' : 'does not start at boot'}${restarts > 0 ? `, restarted ${restarts} times` : ''}`,
    ]);
  if (controlPlane)
    rows.push(['API server', controlPlane.isRunning ? `${controlPlane.server ?? ''} ${controlPlane.problem ?? 'ready'}` : 'stopped']);
  for (const { agentPID, containerdPID, directory } of localNodes)
    rows.push(['node agent', `${processText(agentPID)}; containerd ${processText(containerdPID)}  ${directory}`]);
  return rows;
}

function processText(pid: number | undefined): string {
  return pid === undefined ? 'stopped' : `pid ${pid}`;
}

function clusterRows(cluster: ClusterFacts | undefined): Row[] {
  if (cluster === undefined) return [['nodes', 'unknown: no API server answers']];
  const { nodes, podCount, troubledPods, isWhole } = cluster;
  const rows = nodes.slice(0, maxListed).map(({ name, isReady, isSchedulable, version, runtime }): Row => {
    const state = `${isReady ? 'Ready' : 'NotReady'}${isSchedulable ? '' : ',SchedulingDisabled'}`;
    return ['node', `${name}  ${state}  ${version}  ${runtime}`];
  });
  if (nodes.length > maxListed) rows.push(['', `and ${nodes.length - maxListed} more`]);
  return [...rows, ['pods', `${podCount}${isWhole ? '' : ' on this node'}, ${troubledPods.length} of them not running`]];
}

function placeRows({ dataDirectory, disk, certificates, rotation }: StatusFacts): Row[] {
  const used = Object.entries(disk.used).map(([what, bytes]) => `${what} ${bytes === undefined ? 'not counted' : formatBytes(bytes)}`);
  const first = certificates.toSorted((a, b) => a.daysLeft - b.daysLeft)[0];
  return [
    ['data', `${dataDirectory}  ${used.join(', ')}`],
    ['disk', `${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)} free`],
    ...(first
      ? [['certificates', `the first of ${certificates.length} expires ${first.expiresAt.slice(0, 10)} (${first.file})`] as const]
      : []),
    ...(rotation ? [['', describeRotation(rotation)] as const] : []),
  ];
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
