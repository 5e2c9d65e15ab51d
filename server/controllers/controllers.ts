import { deploymentController } from './deployment/controller.ts';
import { endpointController } from './endpoint/controller.ts';
import { endpointSliceController } from './endpointslice/controller.ts';
import { garbageCollector } from './garbage-collector/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { replicaSetController } from './replicaset/controller.ts';
import { replicationControllerController } from './replicationcontroller/controller.ts';
import { createRootCACertPublisher } from './root-ca-cert-publisher/controller.ts';
import type { Controller } from './runtime/define-controller.ts';
import { serviceAccountController } from './serviceaccount/controller.ts';

export interface ControllersOptions {
  /** PEM of the CA that signed the API server's certificate, as Pods are to know it. */
  readonly rootCA: string;
}

/** Every controller, one line each. */
export function createControllers({ rootCA }: ControllersOptions): readonly Controller[] {
  return [
    deploymentController,
    endpointController,
    endpointSliceController,
    garbageCollector,
    namespaceController,
    replicaSetController,
    replicationControllerController,
    createRootCACertPublisher(rootCA),
    serviceAccountController,
  ];
}
