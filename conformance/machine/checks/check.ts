import type { Machine } from '../emulator/machine.ts';
import type { GuestCluster } from '../guest/guest-cluster.ts';

/** A property of kubets on a user's machine. */
export interface MachineCheck {
  /** The property, as a sentence. */
  readonly name: string;
  /** Establishes the property and returns the finding in a line; throws if it does not hold. */
  readonly run: (context: CheckContext) => Promise<string>;
  /** Whether it always runs, since other checks use its results. */
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
  /** Converts seconds on a machine of usual speed to seconds on this one. */
  readonly seconds: (usual: number) => number;
  /** Rounds of the check that stops shims. */
  readonly rounds: number;
  readonly say: (text: string) => void;
}
