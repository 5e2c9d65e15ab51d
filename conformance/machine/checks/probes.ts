import { waitFor } from '../../framework/wait-for.ts';
import type { CheckContext, CheckTopic } from './check.ts';
import { expectMatch } from '../guest/expect.ts';
import { idle, podManifest } from './pods.ts';

export const probes: CheckTopic = {
  topic: 'probes',
  checks: [
    { name: 'a failing liveness probe restarts the container and says so', run: livenessRestarts },
    { name: 'a failing readiness probe takes the Pod out of its Service, and back when it passes', run: readinessRemoves },
  ],
};

/** On a slow machine `exec` takes seconds; the probe is about its result. */
const probeTimes = (seconds: CheckContext['seconds']) => ({ periodSeconds: 2, timeoutSeconds: seconds(5), failureThreshold: 2 });

async function livenessRestarts({ cluster, seconds }: CheckContext): Promise<string> {
  const livenessProbe = { exec: { command: ['test', '-e', '/tmp/alive'] }, ...probeTimes(seconds), initialDelaySeconds: 1 };
  await cluster.apply(podManifest({ name: 'liveness', script: idle, container: { livenessProbe } }));
  await cluster.waitForField('pod/liveness', '{.status.containerStatuses[0].restartCount}', /^[1-9]/, 90);
  const events = await cluster.run(
    'get',
    'events',
    '--field-selector',
    'involvedObject.name=liveness',
    '-o',
    'jsonpath={.items[*].message}',
  );
  expectMatch('the events', events, /Container main failed liveness probe, will be restarted/);
  await cluster.remove('pod/liveness');
  return 'restarted; Container main failed liveness probe, will be restarted';
}

async function readinessRemoves({ cluster, seconds }: CheckContext): Promise<string> {
  const readinessProbe = { exec: { command: ['test', '-e', '/tmp/ready'] }, ...probeTimes(seconds) };
  const labels = { app: 'readiness' };
  await cluster.apply(podManifest({ name: 'readiness', script: `touch /tmp/ready; ${idle}`, labels, container: { readinessProbe } }));
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'readiness' },
    spec: { selector: labels, ports: [{ port: 80 }] },
  });
  const untilReady = (wanted: string) =>
    waitFor(
      `the endpoint's ready condition to be ${wanted}`,
      async () => {
        const slices = ['get', 'endpointslices', '-l', 'kubernetes.io/service-name=readiness', '-o'];
        return (await cluster.run(...slices, 'jsonpath={.items[*].endpoints[*].conditions.ready}')).trim() === wanted;
      },
      { withinSeconds: seconds(60), everyMs: 500 },
    );
  await untilReady('true');
  await cluster.run('exec', 'readiness', '--', 'rm', '/tmp/ready');
  await untilReady('false');
  await cluster.run('exec', 'readiness', '--', 'touch', '/tmp/ready');
  await untilReady('true');
  await cluster.remove('service/readiness', 'pod/readiness');
  return 'ready, not ready, ready again';
}
