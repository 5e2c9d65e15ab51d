import assert from 'node:assert/strict';
import ts from 'typescript';
import { type SourceFile, sources } from './sources.ts';

const maxFileLines = 500;
/** The length of a function with all that stands in it. */
const maxFunctionLines = 70;

/**
 * Functions that are longer than they should be, by file and name, with the length that they must not exceed. The list only
 * becomes shorter: a new long function is split, and one that was split is struck from here.
 */
const known: Readonly<Record<string, number>> = {
  'server/apiserver/authentication/jwt/jwt-authenticator.ts createJWTAuthenticator': 80,
  'server/control-plane/large-work/large-work-pool.ts createLargeWorkPool': 98,
  'server/scheduler/cache/scheduler-cache.ts createSchedulerCache': 80,
  'server/scheduler/queue/scheduling-queue.ts createSchedulingQueue': 140,
  'server/serving/write-turns.ts createWriteTurns': 90,
  'server/storage/mvcc/versioned-storage.ts createVersionedStorage': 110,
  'node-agent/agent.ts runAgent': 100,
  'node-agent/kubelet/create-pod-services.ts createPodServices': 80,
  'node-agent/kubelet/kubelet.ts createKubelet': 200,
  'node-agent/linux/cgroups/cgroups.ts createCgroups': 90,
  'node-agent/network/network.ts createNodeNetwork': 80,
  'node-agent/network/policy/network-policies.ts createNetworkPolicies': 140,
  'node-agent/network/proxy/proxy.ts createProxy': 100,
  'conformance/bench/soak/load.ts startSoakLoad': 100,
  'conformance/clients/support/cluster.ts createTestCluster': 80,
  'conformance/clients/support/foreign-node.ts createForeignNode': 90,
  'conformance/differential/identities.ts oddCertificates': 80,
  'conformance/machine/emulator/machine.ts createMachine': 110,
  'conformance/machine/guest/guest-cluster.ts createGuestCluster': 80,
};

interface LongFunction {
  /** `<file> <name>`; a function without a name has that of what it is assigned to, or `(anonymous)`. */
  readonly name: string;
  readonly lines: number;
}

function longFunctions(file: SourceFile): LongFunction[] {
  const found: LongFunction[] = [];
  const lineOf = (position: number) => file.tree.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const lines = lineOf(node.end) - lineOf(node.getStart(file.tree)) + 1;
      if (lines > maxFunctionLines) found.push({ name: `${file.path} ${nameOf(node)}`, lines });
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

function nameOf(node: ts.SignatureDeclaration): string {
  const { parent } = node;
  const name = node.name ?? ((ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) && parent.name);
  return name ? name.getText() : '(anonymous)';
}

describe('architecture: sizes', function () {
  this.timeout(180_000);

  it(`no file has more than ${maxFileLines} lines`, () => {
    const long = sources().filter((file) => file.text.split('\n').length > maxFileLines + 1);
    assert.deepEqual(
      long.map((file) => `${file.path} has ${file.text.split('\n').length} lines`),
      [],
    );
  });

  describe('functions', () => {
    let long: readonly LongFunction[] = [];
    before(() => {
      long = sources()
        .filter((file) => !file.isTest && !file.path.endsWith('.e2e.ts'))
        .flatMap(longFunctions);
    });

    it(`none has more than ${maxFunctionLines} lines, but for those that are known`, () => {
      const found = long.filter(({ name, lines }) => lines > (known[name] ?? 0)).map(({ name, lines }) => `${name}: ${lines} lines`);
      assert.deepEqual(found, []);
    });

    it('the known ones are still too long', () => {
      const names = new Set(long.map(({ name }) => name));
      assert.deepEqual(
        Object.keys(known).filter((name) => !names.has(name)),
        [],
      );
    });
  });
});
