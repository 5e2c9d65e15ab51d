import { connect } from 'node:net';
import { Client, credentials } from '@grpc/grpc-js';
import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Probe } from '../../../api/types/core-v1.ts';
import { CRIError } from '../../cri/cri-error.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { dialProblem, httpGet, portNumber } from '../containers/http-get.ts';
import { expandVariables } from '../containers/expand-variables.ts';
import type { AnyContainer } from '../../../api/semantics/pods/pod-containers.ts';

export interface ProbeOutcome {
  readonly ok: boolean;
  /** Whether an event reports the output although the probe has succeeded. */
  readonly warns?: boolean;
  /** The part of the event's message after `probe failed: ` or `probe warning: `. */
  readonly output: string;
}

interface ProbeRun {
  readonly probe: DeepReadonly<Probe>;
  readonly container: AnyContainer;
  readonly containerID: string;
  readonly podIP: string;
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly version: string;
}

/** Runs a probe once. Never throws: a probe that could not be run has failed, with the message of Kubernetes' events. */
export async function runProbe(run: ProbeRun): Promise<ProbeOutcome> {
  const { exec, httpGet: http, tcpSocket, grpc } = run.probe;
  try {
    if (exec) return await runCommand(run, exec.command ?? []);
    if (http) return await askHTTP(run);
    if (tcpSocket) return await dial(tcpSocket.host || run.podIP, portNumber(tcpSocket.port, run.container), timeoutMs(run));
    if (grpc) return await askGRPC(run.podIP, grpc.port, grpc.service ?? '', run);
    return { ok: false, output: `missing probe handler for ${run.container.name}` };
  } catch (error) {
    return { ok: false, output: error instanceof Error ? error.message : String(error) };
  }
}

function timeoutMs({ probe }: ProbeRun): number {
  return (probe.timeoutSeconds ?? 1) * 1000;
}

async function runCommand(run: ProbeRun, command: readonly string[]): Promise<ProbeOutcome> {
  const values = new Map((run.container.env ?? []).map(({ name, value }) => [name, value]));
  const expanded = command.map((part) => expandVariables(part, (name) => values.get(name)));
  try {
    const { exit_code, stdout, stderr } = await run.runtime.execSync(run.containerID, expanded, run.probe.timeoutSeconds ?? 1);
    return { ok: exit_code === 0, output: `${Buffer.from(stdout).toString()}${Buffer.from(stderr).toString()}`.slice(0, 10 * 1024) };
  } catch (error) {
    if (error instanceof CRIError && error.code === 'DeadlineExceeded')
      return { ok: false, output: `command "${expanded.join(' ')}" timed out` };
    throw error;
  }
}

const maxRedirects = 10;

async function askHTTP(run: ProbeRun): Promise<ProbeOutcome> {
  let action = run.probe.httpGet;
  const endMs = run.clock.monotonicMs() + timeoutMs(run); // of all redirects together
  for (let redirects = 0; action && redirects <= maxRedirects; redirects++) {
    const { container, podIP } = run;
    const { url, status, location, body } = await httpGet({
      action,
      container,
      podIP,
      userAgent: `kube-probe/${run.version}`,
      timeoutMs: Math.max(1, endMs - run.clock.monotonicMs()),
      clock: run.clock,
    });
    if (status < 200 || status >= 400) return { ok: false, output: `HTTP probe failed with statuscode: ${status}` };
    if (status < 300) return { ok: true, output: '' };
    const target = location === undefined ? undefined : new URL(location, url);
    // A redirect to another host counts as an answer: following it would leave the Pod.
    if (target?.hostname !== new URL(url).hostname)
      return { ok: true, warns: true, output: `Probe terminated redirects, Response body: ${body}` };
    action = {
      ...action,
      scheme: target.protocol === 'https:' ? 'HTTPS' : 'HTTP',
      port: Number(target.port) || (target.protocol === 'https:' ? 443 : 80),
      path: target.pathname + target.search,
    };
  }
  return { ok: false, output: `stopped after ${maxRedirects} redirects` };
}

function dial(host: string, port: number, limitMs: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.setTimeout(limitMs, () => {
      socket.destroy();
      resolve({ ok: false, output: `dial tcp ${host}:${port}: i/o timeout` });
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve({ ok: true, output: '' });
    });
    socket.on('error', (error) => resolve({ ok: false, output: dialProblem(error) }));
  });
}

/** A length as protobuf writes it. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/**
 * Calls grpc.health.v1.Health/Check (https://github.com/grpc/grpc/blob/master/doc/health-checking.md): sends a string, receives an enum.
 */
function askGRPC(host: string, port: number, service: string, run: ProbeRun): Promise<ProbeOutcome> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const client = new Client(address, credentials.createInsecure(), { 'grpc.primary_user_agent': `kube-probe/${run.version}` });
  const name = new TextEncoder().encode(service);
  const request = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  return new Promise((resolve) => {
    const done = (outcome: ProbeOutcome) => {
      client.close();
      resolve(outcome);
    };
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      (message: Buffer) => message,
      (bytes: Buffer) => (bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0),
      request,
      { deadline: run.clock.nowMs() + timeoutMs(run) } as never,
      ((error: { code: number; details: string } | null, status?: number) => {
        if (error?.code === 4) done({ ok: false, output: `timeout: health rpc did not complete within ${run.probe.timeoutSeconds ?? 1}s` });
        else if (error?.code === 12)
          done({
            ok: false,
            output: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ' + error.details,
          });
        else if (error) done({ ok: false, output: `error: health rpc probe failed: ${error.details}` });
        else if (status === 1) done({ ok: true, output: 'service healthy' });
        else
          done({
            ok: false,
            output: `service unhealthy (responded with "${['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'][status ?? 0]}")`,
          });
      }) as never,
    );
  });
}
