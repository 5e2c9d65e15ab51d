import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

/**
 * How long `kubets up --no-node` takes from the start of its process until /readyz says ok, and what it then weighs:
 * on a new data dir (cold: keys and certificates are made) and on one that was used before. This process only asks, so
 * the control plane has a processor to itself.
 */
const root = path.resolve(import.meta.dirname, '../..');
const node = path.join(root, 'node_modules/.bin/node');
const pollEveryMs = 5;
const idleSeconds = 10;

interface Start {
  readonly readyMs: number;
  readonly residentMiB: number;
}

async function start(dataDir: string, idle: boolean): Promise<Start> {
  const port = await freePort();
  const args = [path.join(root, 'server/cli/kubets.mjs'), 'up', '--no-node', '--data-dir', dataDir, '--port', String(port)];
  const startedMs = performance.now();
  const child = spawn(node, args, { stdio: 'ignore' });
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`kubets ended with ${child.exitCode}`);
      if (performance.now() - startedMs > 60_000) throw new Error('kubets was not ready within 60 s');
      await delay(pollEveryMs);
    }
    const readyMs = performance.now() - startedMs;
    if (idle) await delay(idleSeconds * 1000);
    return { readyMs, residentMiB: residentMiB(child) };
  } finally {
    await stop(child);
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
    });
    request.on('error', () => resolve(false));
  });
}

/** The process is the control plane: `kubets up` starts no child without a node. */
function residentMiB(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  await ended;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

function report(what: string, values: readonly number[], unit: string): void {
  const shown = values.map((value) => value.toFixed(0)).join(' ');
  console.log(`${what.padEnd(34)} median ${median(values).toFixed(0)} ${unit}   (${shown})`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } });
  const runs = Number(values.runs);
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-bench-'));
  try {
    const cold: Start[] = [];
    const second: Start[] = [];
    for (let run = 0; run < runs; run++) {
      const dataDir = path.join(directory, String(run));
      cold.push(await start(dataDir, false));
      second.push(await start(dataDir, true));
    }
    report(
      'first start (new data dir)',
      cold.map(({ readyMs }) => readyMs),
      'ms',
    );
    report(
      'second start (same data dir)',
      second.map(({ readyMs }) => readyMs),
      'ms',
    );
    report(
      `resident after ${idleSeconds} s idle`,
      second.map((one) => one.residentMiB),
      'MiB',
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

await main();
