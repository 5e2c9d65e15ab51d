import type { Clock } from '../../../api/base/clock.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import type { APIResponse, IncomingBody } from '../../../api/client/transport.ts';
import type { KubeObject, UntypedObject } from '../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { TokenAuthenticator, TokenIssuer } from '../authentication/authenticator.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { AuthorizerChain } from '../authorization/authorizer-chain.ts';
import type { AdmissionOperation } from '../admission/admission.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { Store } from '../registry/store.ts';

export interface SubresourceDependencies {
  storeFor<T extends KubeObject>(definition: ResourceDefinition<T>): Store;
  /** Acts as the API server itself (system:apiserver, group system:masters). */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly authorizer: Authorizer;
  readonly rules: Pick<AuthorizerChain, 'rulesFor'>;
  readonly tokenIssuer: TokenIssuer;
  readonly tokenAuthenticator: TokenAuthenticator;
  readonly dialer: Dialer;
  /** The components that componentstatuses shows. */
  readonly components: readonly Component[];
  /** Runs validating and mutating admission for a subresource whose body is another kind (CONNECT, Binding, Eviction, TokenRequest). */
  admit(request: {
    readonly context: RequestContext;
    readonly operation: AdmissionOperation;
    /** The resource, or its store. */
    readonly store: Pick<Store, 'definition'>;
    readonly subresource: string;
    readonly object?: unknown;
    readonly dryRun: boolean;
  }): Promise<void>;
  /** Decodes the request body as the given definition (defaults applied, field validation done). */
  decodeBody(
    context: RequestContext,
    definition: string,
    expected: { readonly apiVersion: string; readonly kind: string },
  ): Promise<KubeObject>;
  /** The answer for an object of any kind, in the encoding that the client wants. */
  respond(context: RequestContext, object: object, status?: number): APIResponse;
  /** Answers with one object of a resource that is not stored, as itself or as Table. */
  respondItem(context: RequestContext, definition: ResourceDefinition, item: UntypedObject): APIResponse;
  /** Answers with a list of a resource that is not stored, as itself or as Table. */
  respondList(context: RequestContext, definition: ResourceDefinition, items: readonly UntypedObject[]): APIResponse;
}

/** A part of the control plane whose health can be asked for. */
export interface Component {
  readonly name: string;
  /** Rejects with the problem. */
  checkHealth(signal: AbortSignal): Promise<void>;
}

/** Reaches kubelets, pods and services. Sockets live in server/serving. */
export interface Dialer {
  /**
   * Sends the request on and returns the answer, upgrades included. `kubelet: true` presents the API server's client
   * certificate, and is answered by whoever --kubelet-certificate-authority has signed, if it is given. Redirects are answered, never followed. Throws if the peer cannot be reached.
   */
  send(
    target: DialTarget,
    request: {
      readonly method: string;
      readonly path: string;
      readonly query: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: Uint8Array;
      /** In place of `body`: a body that is passed on as it arrives. */
      readonly incoming?: IncomingBody;
      readonly canUpgrade: boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<APIResponse>;
}

export interface DialTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly kubelet?: boolean;
  /** Refuses loopback and link-local addresses, looked at after names have been resolved: for targets that users or nodes can choose. */
  readonly refuseLocal?: boolean;
}

/** A subresource of a resource, or a resource that is not stored at all (subresource ''): one file each. */
export interface SubresourceHandler {
  /** Group and plural, e.g. { group: '', resource: 'pods' }. */
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  handle(context: RequestContext, dependencies: SubresourceDependencies): Promise<APIResponse>;
}
