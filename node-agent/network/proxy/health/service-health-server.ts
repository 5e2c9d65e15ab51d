import type { Server } from 'node:http';
import type { Logger } from '../../../../api/base/logger.ts';
import type { EventRecorder } from '../../../../api/client/events/event-recorder.ts';
import { closeHTTP, listenHTTP } from './listen-http.ts';
import type { ServiceHealth } from './service-health.ts';

interface ServiceHealthServerDependencies {
  readonly nodeName: string;
  /** The addresses it listens on: those that take traffic to node ports. */
  readonly nodePortAddresses: () => Promise<readonly string[]>;
  readonly isProxyHealthy: () => boolean;
  readonly events: EventRecorder;
  readonly logger: Logger;
}

/** Tells load balancers, on a health check port of each Service that has one, whether this node has Pods of the Service. */
interface ServiceHealthServer {
  /** Sets the health port of a Service; undefined: none. Answers follow at once, ports with the next sync. */
  claim(service: string, health: ServiceHealth | undefined): void;
  /** Opens and closes ports. A port that cannot be opened is reported in an Event, and tried again with the next change. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface OpenPort {
  readonly port: number;
  readonly servers: readonly Server[];
}

export function createServiceHealthServer(dependencies: ServiceHealthServerDependencies): ServiceHealthServer {
  const { nodeName, nodePortAddresses, isProxyHealthy, events, logger } = dependencies;
  const wanted = new Map<string, ServiceHealth>();
  const changed = new Set<string>();
  const open = new Map<string, OpenPort>();

  const openPort = async (service: string, { namespace, name, uid, port }: ServiceHealth) => {
    const servers: Server[] = [];
    try {
      for (const address of await nodePortAddresses()) {
        servers.push(await listenHTTP(address, port, (_request, response) => answer(wanted.get(service), isProxyHealthy(), response)));
      }
      open.set(service, { port, servers });
    } catch (error) {
      await Promise.all(servers.map(closeHTTP));
      const reason = error instanceof Error ? error.message : String(error);
      const message = `node ${nodeName} failed to start healthcheck "${service}" on port ${port}: ${reason}`;
      logger.warn('the port for health checks of a Service cannot be opened', { service, port, error });
      events.event({ apiVersion: 'v1', kind: 'Service', namespace, name, uid }, 'Warning', 'FailedToStartServiceHealthcheck', message);
    }
  };
  const closePort = async (service: string) => {
    const servers = open.get(service)?.servers ?? [];
    open.delete(service);
    await Promise.all(servers.map(closeHTTP));
  };

  return {
    claim(service, health) {
      if (health === undefined) wanted.delete(service);
      else wanted.set(service, health);
      if (open.get(service)?.port !== health?.port) changed.add(service);
    },
    async sync() {
      const services = [...changed];
      changed.clear();
      // All ports are closed before any is opened, since a port may have moved from one Service to another.
      for (const service of services) if (open.get(service)?.port !== wanted.get(service)?.port) await closePort(service);
      for (const service of services) {
        const health = wanted.get(service);
        if (health !== undefined && !open.has(service)) await openPort(service, health);
      }
    },
    async close() {
      await Promise.all([...open.keys()].map(closePort));
    },
  };
}

interface Answer {
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  end(body: string): unknown;
}

/** In the words and the layout of kube-proxy, which load balancers' checks may compare. */
function answer(health: ServiceHealth | undefined, serviceProxyHealthy: boolean, response: Answer): void {
  const { namespace = '', name = '', localEndpoints = 0 } = health ?? {};
  response.writeHead(localEndpoints > 0 && serviceProxyHealthy ? 200 : 503, {
    'Content-Type': 'application/json',
    'X-Content-Type-Options': 'nosniff',
    'X-Load-Balancing-Endpoint-Weight': String(localEndpoints),
  });
  response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy }, undefined, '\t'));
}
