import assert from 'node:assert/strict';
import { importsOf, sources } from './sources.ts';

/**
 * The order of a folder's parts, lowest first: each may import those before it. A part is a folder, or a file where a folder
 * would hold no other. Parts of one line know nothing of one another.
 */
interface Layers {
  readonly folder: string;
  readonly order: readonly (string | readonly string[])[];
}

const layered: readonly Layers[] = [
  {
    folder: 'api',
    order: [
      ['types', 'base'],
      'validation',
      ['meta', 'cel', 'selectors'],
      'semantics',
      'schema',
      ['patch', 'serialization'],
      ['apply', 'resource'],
      'extensions',
      'resources',
      'client',
      'streaming',
    ],
  },
  {
    folder: 'server',
    order: [['storage', 'controllers', 'scheduler', 'files'], 'pki', 'apiserver', 'serving', 'control-plane', 'cli'],
  },
  {
    folder: 'server/apiserver',
    order: [
      ['configuration', 'metric-families.ts', 'services'],
      'webhooks',
      'authentication',
      'authorization',
      'audit',
      'request',
      ['bodies', 'flowcontrol'],
      'metrics',
      ['admission', 'served'],
      ['bootstrap', 'registry'],
      'responses',
      ['documents', 'filters', 'lists'],
      'watching',
      ['subresources', 'verbs'],
      'routing',
      ['aggregator', 'extensions'],
      'api-server.ts',
      'metrics-server',
    ],
  },
  {
    folder: 'node-agent',
    order: [
      ['end-in-time.ts', 'node-http.ts', 'node-paths.ts', 'stop-order.ts'],
      'cri',
      'linux',
      ['network', 'plugins'],
      ['kubelet', 'preflight'],
      'agent.ts',
      'main.ts',
    ],
  },
  {
    folder: 'node-agent/kubelet',
    order: [
      'runtime',
      ['resources', 'stats'],
      'containers',
      ['images', 'probes', 'volumes'],
      'status',
      'pods',
      ['eviction', 'server', 'shutdown', 'static-pods'],
      ['certificates', 'node'],
      'kubelet-settings.ts',
      'kubelet-dependencies.ts',
      ['create-pod-services.ts', 'kubelet-configuration.ts', 'upkeep'],
      'kubelet.ts',
    ],
  },
];

const layersOf = ({ folder, order }: Layers): ReadonlyMap<string, number> =>
  new Map(order.flatMap((parts, level) => [parts].flat().map((part) => [`${folder}/${part}`, level])));

/** The part that a file belongs to, as `folder/part`. */
const partOf = (file: string, folder: string): string => `${folder}/${file.slice(folder.length + 1).split('/')[0]}`;

describe('architecture: layers', function () {
  this.timeout(180_000);

  for (const layers of layered) {
    const { folder } = layers;
    const levels = layersOf(layers);
    const own = () => sources().filter((file) => file.path.startsWith(`${folder}/`) && !file.isTest);

    it(`every part of ${folder} has its place in the order`, () => {
      const parts = new Set(own().map((file) => partOf(file.path, folder)));
      assert.deepEqual([...parts].filter((part) => !levels.has(part)).toSorted(), []);
      // Generated code is no source, and may not be there yet.
      assert.deepEqual([...levels.keys()].filter((part) => !parts.has(part) && part !== 'api/types').toSorted(), []);
    });

    it(`nothing in ${folder} imports what is above it`, () => {
      const upward = own()
        .flatMap(importsOf)
        .filter(({ to }) => to.startsWith(`${folder}/`))
        .map(({ from, to, line }) => ({ from: partOf(from, folder), to: partOf(to, folder), text: `${from}:${line} imports ${to}` }))
        .filter(({ from, to }) => from !== to && (levels.get(to) ?? 0) >= (levels.get(from) ?? 0))
        .map(({ text }) => text);
      assert.deepEqual(upward, []);
    });
  }
});
