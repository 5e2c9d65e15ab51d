import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { LifecycleHandler } from '../../../api/types/core-v1.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { httpGet } from './http-get.ts';
import type { AnyContainer } from '../../../api/semantics/pods/pod-containers.ts';

interface HookRun {
  readonly handler: DeepReadonly<LifecycleHandler>;
  readonly container: AnyContainer;
  readonly containerID: string;
  readonly podIP: string;
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly version: string;
  /** Seconds; 0: no limit. */
  readonly timeoutSeconds: number;
  readonly signal?: AbortSignal;
}

/** Runs a postStart or preStop handler to its end. Throws with the words that the event shows. */
export async function runHook({
  handler,
  container,
  containerID,
  podIP,
  runtime,
  clock,
  version,
  timeoutSeconds,
  signal,
}: HookRun): Promise<void> {
  if (handler.exec) {
    const command = handler.exec.command ?? [];
    const { exit_code, stdout, stderr } = await runtime.execSync(containerID, command, timeoutSeconds);
    if (exit_code === 0) return;
    const output = `${Buffer.from(stdout).toString()}${Buffer.from(stderr).toString()}`;
    throw new Error(`command '${command.join(' ')}' exited with ${exit_code}: ${output}`);
  }
  if (handler.httpGet) {
    const timeoutMs = (timeoutSeconds > 0 ? timeoutSeconds : 3600) * 1000;
    const answer = await httpGet({
      action: handler.httpGet,
      container,
      podIP,
      userAgent: `kube-lifecycle/${version}`,
      timeoutMs,
      clock,
      ...(signal ? { signal } : {}),
    });
    if (answer.status >= 400)
      throw new Error(
        `Http lifecycle hook (${handler.httpGet.path ?? ''}) for Container "${container.name}" failed with statuscode ${answer.status}`,
      );
    return;
  }
  if (handler.sleep) return sleep(clock, handler.sleep.seconds * 1000, signal);
}
