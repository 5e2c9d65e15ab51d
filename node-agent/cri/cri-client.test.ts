import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, Server, ServerCredentials, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { systemClock } from '../../api/base/system-clock.ts';
import { type CRIClient, createCRIClient } from './cri-client.ts';

type Answers = Readonly<Record<string, object>>;

/** A runtime that gives these answers, and knows no other calls. */
async function runtimeWith(socket: string, answers: Answers): Promise<{ readonly asked: string[]; stop(): void }> {
  const file = fileURLToPath(new URL('./runtime-v1.proto', import.meta.url));
  const definition = loadPackageDefinition(loadSync(file, { keepCase: true })) as unknown as {
    runtime: { v1: { RuntimeService: ServiceClientConstructor } };
  };
  const asked: string[] = [];
  const server = new Server();
  const handlers = Object.entries(answers).map(([method, answer]) => [
    method,
    (_call: unknown, callback: (error: null, answer: object) => void) => {
      asked.push(method);
      callback(null, answer);
    },
  ]);
  server.addService(definition.runtime.v1.RuntimeService.service, Object.fromEntries(handlers));
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
  );
  return { asked, stop: () => server.forceShutdown() };
}

describe('a client of container runtimes', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(`${tmpdir()}/cri-`);
  });
  after(() => rm(directory, { recursive: true }));

  const asking = async (answers: Answers, ask: (client: CRIClient, asked: readonly string[]) => Promise<void>) => {
    const socket = `${directory}/${Object.keys(answers).join('-')}.sock`;
    const runtime = await runtimeWith(socket, answers);
    const client = createCRIClient({ endpoint: `unix://${socket}`, clock: systemClock });
    try {
      await ask(client, runtime.asked);
    } finally {
      client.close();
      runtime.stop();
    }
  };

  it('learns what a new runtime can do', () =>
    asking(
      {
        Status: {
          status: { conditions: [{ type: 'RuntimeReady', status: true }] },
          runtime_handlers: [{ name: 'crun', features: { recursive_read_only_mounts: true, user_namespaces: true } }],
          features: { supplemental_groups_policy: true },
        },
        RuntimeConfig: { linux: { cgroup_driver: 'CGROUPFS' } },
      },
      async ({ runtime }) => {
        assert.deepEqual(await runtime.capabilities(), {
          handlers: [{ name: 'crun', features: { recursive_read_only_mounts: true, user_namespaces: true } }],
          supplementalGroupsPolicy: true,
        });
        assert.equal(await runtime.cgroupDriver(), 'CGROUPFS');
      },
    ));

  it('takes an old one to be able to do nothing that it does not tell of', () =>
    asking({ Status: { status: { conditions: [] } } }, async ({ runtime }) => {
      assert.deepEqual(await runtime.capabilities(), { handlers: [], supplementalGroupsPolicy: false });
      assert.deepEqual([await runtime.cgroupDriver(), await runtime.cgroupDriver()], [undefined, undefined]);
      await assert.rejects(runtime.listPodSandboxStats(), { code: 'Unimplemented' });
    }));

  it('sees a runtime that leaves cgroups to systemd, the first of the choices', () =>
    asking({ RuntimeConfig: { linux: {} } }, async ({ runtime }) => assert.equal(await runtime.cgroupDriver(), 'SYSTEMD')));

  it('asks for its name once', () =>
    asking({ Version: { runtime_name: 'cri-o', runtime_version: '1.36.3' } }, async ({ runtime }, asked) => {
      assert.deepEqual([await runtime.name(), await runtime.name(), asked], ['cri-o', 'cri-o', ['Version']]);
    }));

  it('ends what runs in a sandbox before the sandbox', () =>
    asking(
      { ListContainers: { containers: [{ id: 'a' }, { id: 'b' }] }, StopContainer: {}, StopPodSandbox: {} },
      async ({ runtime }, asked) => {
        await runtime.stopPodSandbox('s');
        assert.deepEqual(asked, ['ListContainers', 'StopContainer', 'StopContainer', 'StopPodSandbox']);
      },
    ));

  it('completes addresses of streams', () =>
    asking(
      {
        Exec: { url: '//127.0.0.1:4567/cri/exec/a' },
        Attach: { url: 'http://127.0.0.1:4567/attach/b' },
        PortForward: { url: 'http://[::]:4567/portforward/c' },
      },
      async ({ runtime }) => {
        const streams = { stdin: false, stdout: true, stderr: true, tty: false };
        assert.deepEqual(
          [await runtime.exec('a', [], streams), await runtime.attach('b', streams), await runtime.portForward('c', [])],
          ['http://127.0.0.1:4567/cri/exec/a', 'http://127.0.0.1:4567/attach/b', 'http://[::]:4567/portforward/c'],
        );
      },
    ));
});
