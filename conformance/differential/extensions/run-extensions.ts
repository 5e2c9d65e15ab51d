import { writeFileSync } from 'node:fs';
import { compareDefinitions } from './compare-definitions.ts';
import { compareObjects } from './compare-objects.ts';
import { comparePolicies } from './compare-policies.ts';
import { compareRules } from './compare-rules.ts';
import { compareSets } from './compare-sets.ts';
import { compareWebhooks } from './compare-webhooks.ts';
import type { Comparison, Difference } from './comparison.ts';
import { startTwoServers, type TwoServers } from './two-servers.ts';

type Part = (servers: TwoServers, count: number, seed: number) => Promise<Comparison>;

const parts: Readonly<Record<string, Part>> = {
  definitions: compareDefinitions,
  objects: compareObjects,
  rules: compareRules,
  sets: compareSets,
  webhooks: compareWebhooks,
  policies: comparePolicies,
};

const usage = `Compares what kubets and the kube-apiserver that KUBETS_UPSTREAM_APISERVER names do with extensions.
  node conformance/differential/extensions/run-extensions.ts SEED PART=COUNT...
Parts: ${Object.keys(parts).join(', ')}. DIFF_JSON is a file for the differences.`;

function describe({ request, parts: differing, status, deviation }: Difference): string {
  const body = request.body === undefined ? '' : JSON.stringify(request.body).slice(0, 3000);
  const shown = Object.entries(differing).map(
    ([key, [theirs, ours]]) => `  ${key}\n    theirs ${JSON.stringify(theirs)}\n    ours   ${JSON.stringify(ours)}`,
  );
  return `${request.method} ${request.path} (${status})${deviation === undefined ? '' : ` [${deviation}]`}\n  ${body}\n${shown.join('\n')}`;
}

function reasonsOf(differences: readonly Difference[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { deviation } of differences) if (deviation !== undefined) counts.set(deviation, (counts.get(deviation) ?? 0) + 1);
  return counts;
}

if (import.meta.main) {
  const program = process.env['KUBETS_UPSTREAM_APISERVER'];
  const [seed, ...wanted] = process.argv.slice(2);
  if (program === undefined || seed === undefined || wanted.length === 0) {
    console.error(usage);
    process.exit(2);
  }
  const servers = await startTwoServers(program);
  const all: Difference[] = [];
  try {
    for (const text of wanted) {
      const [name = '', count = '100'] = text.split('=');
      const part = parts[name];
      if (!part) throw new Error(usage);
      const { requests, equal, refused, differences } = await part(servers, Number(count), Number(seed));
      all.push(...differences);
      const open = differences.filter(({ deviation }) => deviation === undefined);
      for (const difference of open) console.log(describe(difference));
      for (const [reason, times] of reasonsOf(differences)) console.log(`${times} times: ${reason}`);
      console.log(
        `${name}, seed ${seed}: ${requests} requests (${refused} refused), ${equal} equal, ${differences.length - open.length} known differences, ${open.length} open`,
      );
    }
  } finally {
    await servers.stop();
    writeFileSync(process.env['DIFF_JSON'] ?? '/dev/null', JSON.stringify(all));
  }
  process.exit(0);
}
