import type { Component } from '../apiserver/subresources/subresource.ts';

/** A part of the control plane that runs in this process: healthy until it fails. */
interface RunningPart extends Component {
  follow(running: Promise<void>): Promise<void>;
}

export function createRunningPart(name: string): RunningPart {
  let state: Promise<void> = Promise.reject(new Error('not started'));
  state.catch(() => {});
  return {
    name,
    checkHealth: () => state,
    follow(running) {
      state = Promise.resolve();
      running.catch((error: unknown) => {
        state = Promise.reject(error);
        state.catch(() => {});
      });
      return running;
    },
  };
}
