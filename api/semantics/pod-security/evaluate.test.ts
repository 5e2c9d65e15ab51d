import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Pod } from '../../types/core-v1.ts';
import { factsOf } from './check.ts';
import { findViolations, formatViolations } from './evaluate.ts';
import type { Level, LevelVersion } from './policy.ts';

interface Recorded {
  readonly level: Level;
  readonly minor: number;
  readonly pod: Pod;
  /** Violations found by upstream's policy library. */
  readonly violations: string;
}

const recorded = JSON.parse(readFileSync(path.join(import.meta.dirname, 'testdata/violations.json'), 'utf8')) as Recorded[];
const judge = (pod: Pod, level: Level, version: LevelVersion['version'] = 'latest') =>
  formatViolations(findViolations({ level, version }, factsOf(pod.metadata, pod.spec ?? { containers: [] })));
const podOf = (spec: Partial<Pod['spec']>): Pod => ({ metadata: { name: 'p' }, spec: { containers: [], ...spec } });
const hardened = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' as const },
};
const container = (more: object = {}) => ({ name: 'a', securityContext: hardened, ...more });

describe('Pod Security Standards', () => {
  it('judge as Kubernetes does, in the same words', () => {
    assert.ok(recorded.length > 100);
    for (const { level, minor, pod, violations } of recorded)
      assert.equal(judge(pod, level, minor), violations, `${level}:v1.${minor} ${JSON.stringify(pod)}`);
  });
  it('allow everything to the privileged', () =>
    assert.equal(
      judge(podOf({ hostNetwork: true, containers: [{ name: 'a', securityContext: { privileged: true } }] }), 'privileged'),
      '',
    ));
  it('allow a hardened Pod with an image as its volume', () =>
    assert.equal(judge(podOf({ containers: [container()], volumes: [{ name: 'v', image: { reference: 'i' } }] }), 'restricted'), ''));

  const probing = podOf({
    containers: [
      container({ livenessProbe: { httpGet: { host: '10.0.0.1', port: 80 } }, readinessProbe: { tcpSocket: { port: 80 } } }),
      container({ name: 'b', lifecycle: { preStop: { tcpSocket: { host: 'x', port: 1 } } } }),
    ],
  });
  const users = { hostUsers: false, containers: [container({ securityContext: { ...hardened, procMount: 'Unmasked', runAsUser: 0 } })] };
  const rooted = podOf({ hostUsers: false, containers: [container({ securityContext: { ...hardened, runAsNonRoot: false } })] });
  const unmasked = 'procMount (container "a" must not set securityContext.procMount to "Unmasked")';
  const cases: [what: string, Pod, Level, LevelVersion['version'], string][] = [
    ['hosts of probes are free before v1.34', probing, 'baseline', 33, ''],
    [
      'hosts of probes are forbidden since v1.34',
      probing,
      'baseline',
      34,
      'probe or lifecycle host (containers "a", "b" use probe or lifecycle hosts "10.0.0.1", "x")',
    ],
    ['all of /proc is for nobody before v1.35', podOf(users), 'baseline', 34, unmasked],
    ['all of /proc is for Pods with users of their own since v1.35', podOf(users), 'baseline', 'latest', ''],
    ['but never for the restricted, who may be root there', podOf(users), 'restricted', 'latest', unmasked],
    [
      'root in a user namespace is root before v1.35',
      rooted,
      'restricted',
      34,
      'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)',
    ],
    ['and is none since', rooted, 'restricted', 35, ''],
  ];
  for (const [what, pod, level, version, expected] of cases) it(what, () => assert.equal(judge(pod, level, version), expected));
});
