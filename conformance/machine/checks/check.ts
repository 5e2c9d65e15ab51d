import type { Machine } from '../emulator/machine.ts';
import type { GuestCluster } from '../guest/guest-cluster.ts';

/** One property of kubets on a user's machine. */
export interface MachineCheck {
  /** The property, as a sentence. */
  readonly name: string;
  /** Establishes it and returns what was found, in a line; throws where it does not hold. */
  readonly run: (context: CheckContext) => Promise<string>;
  /** Whether it runs whatever was selected: others use what it leaves on the machine. */
  readonly isAlwaysRun?: boolean;
  /** Whether nothing after it makes sense where it fails. */
  readonly isFoundation?: boolean;
}

export interface CheckTopic {
  readonly topic: string;
  /** Brings the machine into the state that the topic is about; its checks are not run where that fails. */
  readonly prepare?: MachineCheck;
  readonly checks: readonly MachineCheck[];
}

export interface CheckContext {
  /** The first machine, which has the control plane. */
  readonly machine: Machine;
  readonly machines: readonly Machine[];
  readonly cluster: GuestCluster;
  /** Seconds as they are on a machine of the usual speed, made as long as they are on this one. */
  readonly seconds: (usual: number) => number;
  /** Rounds of the check that stops shims. */
  readonly rounds: number;
  readonly say: (text: string) => void;
}
