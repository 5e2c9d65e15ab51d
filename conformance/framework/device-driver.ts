import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { Client } from '../../api/client/client.ts';
import { resourceClaims } from '../../api/resources/resource/v1/resource-claim.ts';
import { resourceSlices } from '../../api/resources/resource/v1/resource-slice.ts';
import type { Device, ResourceClaim } from '../../api/types/resource-v1.ts';
import type { ClaimKey } from '../../node-agent/plugins/dra/dra-client.ts';
import { implementService, serveSocket } from './socket-server.ts';

interface DeviceDriverOptions {
  readonly name: string;
  readonly nodeName: string;
  readonly devices: readonly Device[];
  readonly client: Client;
  /** The directory of the driver's socket. */
  readonly directory: string;
  /** The directory in which the kubelet looks for plugins. */
  readonly registry: string;
  /** The directory in which the runtime looks for descriptions of devices (CDI). */
  readonly cdiDirectory: string;
}

/** A driver of dynamic resources on a socket, as vendors write them. Its devices are nothing but environment variables. */
export interface DeviceDriver {
  /** `prepare <claim>`, `unprepare <claim>` in order. */
  readonly calls: string[];
  /** Answers of the kubelet: `registered`, or why not. */
  readonly verdicts: string[];
  stop(): Promise<void>;
}

interface ClaimsRequest {
  readonly claims: readonly ClaimKey[];
}

/**
 * Publishes its devices and prepares claims. A container gets `DEVICE_<REQUEST>=<device>`, and `SETTINGS` with the configuration of class
 * and claim.
 */
export async function startDeviceDriver(options: DeviceDriverOptions): Promise<DeviceDriver> {
  const { name, client, directory, registry } = options;
  for (const folder of [directory, registry, options.cdiDirectory]) await mkdir(folder, { recursive: true });
  const socket = `${directory}/dra.sock`;
  const registration = `${registry}/${name}-reg.sock`;
  const calls: string[] = [];
  const verdicts: string[] = [];
  const forEach = async (request: ClaimsRequest, work: (claim: ClaimKey) => Promise<object>) => {
    const answers = await Promise.all(request.claims.map(async (claim) => [claim.uid, await work(claim)] as const));
    return { claims: Object.fromEntries(answers) };
  };
  const plugin = implementService({
    NodePrepareResources: (request: ClaimsRequest) =>
      forEach(request, async (claim) => {
        calls.push(`prepare ${claim.name}`);
        return { devices: await prepare(options, claim) };
      }),
    NodeUnprepareResources: (request: ClaimsRequest) =>
      forEach(request, async (claim) => {
        calls.push(`unprepare ${claim.name}`);
        await rm(specFile(options, claim.uid), { force: true });
        return {};
      }),
  });
  const registrar = implementService({
    GetInfo: async () => ({ type: 'DRAPlugin', name, endpoint: socket, supported_versions: ['v1.DRAPlugin'] }),
    NotifyRegistrationStatus: async (request: { plugin_registered: boolean; error: string }) =>
      void verdicts.push(request.plugin_registered ? 'registered' : request.error),
  });
  const packagePath = ['k8s', 'io', 'kubelet', 'pkg', 'apis', 'dra', 'v1'];
  const pluginServer = await serveSocket(socket, '../dra/dra-v1.proto', packagePath, 'DRAPlugin', plugin);
  const registrarServer = await serveSocket(
    registration,
    'plugin-registration-v1.proto',
    ['pluginregistration'],
    'Registration',
    registrar,
  );
  const slice = await publish(options);
  return {
    calls,
    verdicts,
    async stop() {
      registrarServer.forceShutdown();
      pluginServer.forceShutdown();
      for (const file of [registration, socket]) await rm(file, { force: true });
      await client(resourceSlices).delete({ namespace: '', name: slice });
    },
  };
}

async function publish({ name, nodeName, devices, client }: DeviceDriverOptions): Promise<string> {
  const created = await client(resourceSlices).create({
    metadata: { generateName: `${nodeName}-${name}-` },
    spec: { driver: name, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 }, devices: [...devices] },
  });
  return created.metadata.name ?? '';
}

/** Describes the claim's devices to the runtime; returns them as the kubelet wants to hear of them. */
async function prepare(options: DeviceDriverOptions, { namespace, name, uid }: ClaimKey): Promise<object[]> {
  const claim: ResourceClaim = structuredClone(await options.client(resourceClaims).get({ namespace, name })) as ResourceClaim;
  if (claim.metadata.uid !== uid) throw new Error(`claim ${name} is another one`);
  const { results = [], config = [] } = claim.status?.allocation?.devices ?? {};
  const own = results.filter(({ driver }) => driver === options.name);
  const settings = JSON.stringify(config.map(({ opaque }) => opaque?.parameters));
  const kind = `${options.name}/claim`;
  const spec = {
    cdiVersion: '0.5.0',
    kind,
    devices: own.map(({ request, device }) => ({
      name: `${uid}-${device}`,
      containerEdits: { env: [`DEVICE_${request.replace(/\W/g, '_').toUpperCase()}=${device}`, `SETTINGS=${settings}`] },
    })),
  };
  await writeFile(specFile(options, uid), JSON.stringify(spec));
  return own.map(({ request, pool, device }) => ({
    request_names: [request],
    pool_name: pool,
    device_name: device,
    cdi_device_ids: [`${kind}=${uid}-${device}`],
  }));
}

function specFile({ cdiDirectory, name }: DeviceDriverOptions, uid: string): string {
  return `${cdiDirectory}/${name}-${uid}.json`;
}
