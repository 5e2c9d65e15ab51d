import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Clock } from '../../../api/base/clock.ts';
import { CRIError, interpretCRIError } from '../../cri/cri-error.ts';

export interface ClaimKey {
  readonly namespace: string;
  readonly uid: string;
  readonly name: string;
}

/** A device that a driver has made ready. */
export interface PreparedDevice {
  /** The requests of the claim; none: all. */
  readonly request_names: readonly string[];
  readonly pool_name: string;
  readonly device_name: string;
  /** The ids by which the runtime finds the devices of a container. */
  readonly cdi_device_ids: readonly string[];
}

/** A driver of dynamic resources (KEP-4381). Failures are Errors with the driver's message. */
export interface DRAClient {
  prepare(claim: ClaimKey): Promise<readonly PreparedDevice[]>;
  unprepare(claim: ClaimKey): Promise<void>;
  close(): void;
}

const timeoutSeconds = 45;

interface Answers<T> {
  readonly claims: Readonly<Record<string, (T & { readonly error: string }) | undefined>>;
}

export function createDRAClient({ socket, clock }: { readonly socket: string; readonly clock: Clock }): DRAClient {
  const file = fileURLToPath(new URL('./dra-v1.proto', import.meta.url));
  const loaded = loadPackageDefinition(loadSync(file, { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true }));
  const { DRAPlugin } = (
    loaded as unknown as { k8s: { io: { kubelet: { pkg: { apis: { dra: { v1: { DRAPlugin: ServiceClientConstructor } } } } } } } }
  ).k8s.io.kubelet.pkg.apis.dra.v1;
  const service = new DRAPlugin(`unix://${socket}`, credentials.createInsecure());
  const call = async <T>(method: string, claim: ClaimKey): Promise<T & { readonly error: string }> => {
    const answer = await new Promise<Answers<T>>((resolve, reject) => {
      const send = service[method];
      if (send === undefined) return reject(new CRIError('Unimplemented', `unknown method ${method}`));
      const deadline = clock.nowMs() + timeoutSeconds * 1000;
      send.call(service, { claims: [claim] }, { deadline }, (error: unknown, response: Answers<T>) => {
        if (error) reject(interpretCRIError(error));
        else resolve(response);
      });
    });
    const own = answer.claims[claim.uid];
    if (!own) throw new Error(`${method} left out ResourceClaim ${claim.name}`);
    if (own.error !== '') throw new Error(`${method} failed for ResourceClaim ${claim.name}: ${own.error}`);
    return own;
  };
  return {
    prepare: async (claim) => (await call<{ readonly devices: readonly PreparedDevice[] }>('NodePrepareResources', claim)).devices,
    unprepare: async (claim) => void (await call('NodeUnprepareResources', claim)),
    close: () => service.close(),
  };
}
