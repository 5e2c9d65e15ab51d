import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startLoadGenerator } from './load-generator.ts';
import type { Protocol, Task } from './load/task.ts';
import { median } from './measurement.ts';
import { observe } from './observe.ts';
import { benchResources, createTemplate, namespace, objectTemplate } from './objects.ts';
import { cpuSecondsOf } from './processes.ts';
import { openSession, type Session } from './session.ts';
import { parseStartedTarget } from './targets.ts';

/**
 * Whether the load generator is honest: the same GETs of one server from it and, in turn, from wrk (HTTP/1.1) and h2load
 * (HTTP/2), which are written in C.
 *
 *   node conformance/bench/compare-generators.ts [COMMAND]     needs wrk and nghttp2-client; COMMAND as bench's --start
 */
const run = promisify(execFile);
const rounds = 3;
const seconds = 3;
const concurrency = 16;

interface Rate {
  readonly perSecond: number;
  readonly serverCPUPerRequestMs: number;
}

const cases: readonly {
  readonly protocol: Protocol;
  readonly other: string;
  args(url: string, token: string): string[];
  readonly rate: RegExp;
}[] = [
  {
    protocol: 'h1',
    other: 'wrk',
    args: (url, token) => ['-t1', `-c${concurrency}`, `-d${seconds}s`, '-H', `Authorization: Bearer ${token}`, url],
    rate: /Requests\/sec:\s+([\d.]+)/,
  },
  {
    protocol: 'h2',
    other: 'h2load',
    args: (url, token) => ['-c1', '-t1', `-m${concurrency}`, `-D${seconds}`, '-H', `authorization: Bearer ${token}`, url],
    rate: /finished in [^,]+, ([\d.]+) req\/s/,
  },
];

const path = objectTemplate('GET', benchResources.configmaps).path.replace('%N%', '0');

async function measureOther({ endpoint, pid }: Session, { other, args, rate }: (typeof cases)[number]): Promise<Rate> {
  const before = cpuSecondsOf(pid ?? 0);
  const { stdout } = await run(other, args(`https://${endpoint.host}:${endpoint.port}${path}`, endpoint.token));
  const perSecond = Number(rate.exec(stdout)?.[1]);
  if (!(perSecond > 0) || /Non-2xx/.test(stdout)) throw new Error(`${other} did not get what it asked for:\n${stdout}`);
  return { perSecond, serverCPUPerRequestMs: ((cpuSecondsOf(pid ?? 0) - before) / (perSecond * seconds)) * 1000 };
}

async function measureOurs(session: Session, protocol: Protocol, generator: ReturnType<typeof startLoadGenerator>): Promise<Rate> {
  const template = { method: 'GET', path };
  const task: Task = { kind: 'requests', endpoint: session.endpoint, protocol, concurrency, template, ...once, seconds, cycle: true };
  const { count, elapsedSeconds, serverCPUSeconds = Number.NaN, remarks } = await observe(session, generator, task);
  for (const remark of remarks) console.log(`  ! ${remark}`);
  return { perSecond: count / elapsedSeconds, serverCPUPerRequestMs: (serverCPUSeconds / count) * 1000 };
}

const once = { warmupSeconds: 0, first: 0, count: 1 };

async function main(): Promise<void> {
  const session = await openSession(parseStartedTarget(process.argv[2] ?? 'kubets-memory'));
  const generator = startLoadGenerator();
  try {
    const fill = { ...once, kind: 'requests', endpoint: session.endpoint, protocol: 'h1', concurrency: 1 } as const;
    await observe(session, generator, { ...fill, template: createTemplate(benchResources.configmaps), seconds: 10, cycle: false });
    for (const one of cases) {
      const [ours, others]: [Rate[], Rate[]] = [[], []];
      await measureOurs(session, one.protocol, generator);
      for (let round = 0; round < rounds; round++) {
        ours.push(await measureOurs(session, one.protocol, generator));
        others.push(await measureOther(session, one));
      }
      for (const [name, rates] of [
        ['bench', ours],
        [one.other, others],
      ] as const) {
        const perSecond = median(rates.map((rate) => rate.perSecond));
        const cpu = median(rates.map((rate) => rate.serverCPUPerRequestMs));
        console.log(
          `${one.protocol} ×${concurrency} GET of ${namespace}/bench-0, ${name.padEnd(7)} ${perSecond.toFixed(0)}/s, ${cpu.toFixed(3)} ms server CPU`,
        );
      }
    }
  } finally {
    generator.close();
    await session.close();
  }
}

await main();
