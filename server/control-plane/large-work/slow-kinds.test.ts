import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { fuzzRuns, fuzzSeed, fuzzTurns } from '../../../api/schema/testing/fuzz-runs.ts';
import { type CompleteServer, startCompleteServer } from '../../apiserver/testing/complete-server.ts';
import { drawHostileKind, type HostileKind, hostileGroup } from '../../apiserver/testing/hostile-kinds.ts';
import { createLargeWorkPool, type LargeWorkPool } from './large-work-pool.ts';

/*
 * Looks for custom kinds that hold the event loop: each is defined, an object of it is created, listed in all forms, updated and
 * applied, its documents are read, and it is deleted. What is done in worker threads is not counted: the time is the processor time
 * of this thread between two turns of its event loop (or those of a millisecond), so that other work of the machine does not count either.
 */

const rounds = fuzzRuns(40, 20_000);
const largest = fuzzRuns(1024, 16_384);
/** Processor time of one turn, in milliseconds, with what the compiler and the garbage collector add to some: the others take 25. */
const maxHoldMs = 100;
const programError = /call stack|Invalid (?:array|string) length|Cannot read properties|is not (?:a function|iterable|defined)/;
const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const table = 'application/json;as=Table;g=meta.k8s.io;v=v1';

interface Step {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
}

/** All that is done with a kind; the first steps make what the later ones are about. */
function stepsOf({ definition, spec }: HostileKind): Step[] {
  const { names } = definition['spec'] as { names: { plural: string; kind: string } };
  const apiVersion = `${hostileGroup}/v1`;
  const collection = `/apis/${apiVersion}/namespaces/default/${names.plural}`;
  const object = { apiVersion, kind: names.kind, metadata: { name: 'one' }, spec };
  const apply = { type: 'application/apply-patch+yaml', path: `${collection}/two?fieldManager=fuzz` };
  return [
    { name: 'create', method: 'POST', path: collection, body: object },
    { name: 'apply', method: 'PATCH', ...apply, body: { ...object, metadata: { name: 'two' } } },
    { name: 'apply again', method: 'PATCH', ...apply, body: { ...object, metadata: { name: 'two', labels: { a: 'b' } } } },
    {
      name: 'patch',
      method: 'PATCH',
      type: 'application/merge-patch+json',
      path: `${collection}/one`,
      body: { metadata: { labels: { a: 'b' } } },
    },
    { name: 'list', method: 'GET', path: collection },
    { name: 'list as a table', method: 'GET', path: collection, accept: table },
    { name: 'list as YAML', method: 'GET', path: collection, accept: 'application/yaml' },
    { name: 'discovery', method: 'GET', path: `/apis/${apiVersion}` },
    { name: 'OpenAPI 3', method: 'GET', path: `/openapi/v3/apis/${apiVersion}` },
    {
      name: 'OpenAPI 3 in protobuf',
      method: 'GET',
      path: `/openapi/v3/apis/${apiVersion}`,
      accept: 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf',
    },
    { name: 'delete', method: 'DELETE', path: collection },
  ];
}

describe(`the slowest of ${rounds} custom kinds`, function () {
  this.timeout(6 * 3_600_000);
  let pool: LargeWorkPool;
  let complete: CompleteServer;
  before(async () => {
    pool = createLargeWorkPool({ clock: systemClock, logger: silentLogger, threads: 1 });
    complete = await startCompleteServer(undefined, {}, {}, { largeWork: pool });
  });
  after(async () => {
    await complete.close();
    await pool.close();
  });

  const now = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };

  interface Outcome {
    readonly status: number;
    readonly text: string;
    readonly holdMs: number;
  }

  /** Sends a request; the longest hold is that of anything that is done meanwhile. */
  async function send({ method, path, body, type = 'application/json', accept = 'application/json' }: Step): Promise<Outcome> {
    const [own = '', query = ''] = path.split('?');
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    let isOver = false;
    let holdMs = 0;
    let last = now();
    const turn = () => {
      const present = now();
      holdMs = Math.max(holdMs, present - last);
      last = present;
      if (!isOver) setTimeout(turn, 1);
    };
    setTimeout(turn, 1);
    const headers = { 'content-type': type, accept, 'user-agent': 'fuzz' };
    const request = { method, path: own, query, headers, ...(bytes ? { body: bytes } : {}), signal: new AbortController().signal };
    const user = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
    const response = await complete.server.transport({ ...request, user });
    const chunks: Uint8Array[] = [];
    if (response.body.kind === 'bytes') chunks.push(response.body.bytes);
    else if (response.body.kind === 'stream') for await (const chunk of response.body.chunks) chunks.push(chunk);
    isOver = true;
    turn();
    return { status: response.status, text: Buffer.concat(chunks).subarray(0, 20_000).toString(), holdMs };
  }

  /** Whether the definition has been accepted and is served by now. */
  async function define({ definition }: HostileKind, note: (step: string, outcome: Outcome) => void): Promise<boolean> {
    const { name } = definition['metadata'] as { name: string };
    const step = { name: 'define', method: 'POST', path: `${definitionsPath}?dryRun=All`, body: definition };
    // The same pattern is compiled once: the first time counts.
    note('define', await send(step));
    const created = await send({ ...step, path: definitionsPath });
    note('define', created);
    if (created.status !== 201) return false;
    for (;;) {
      const read = await send({ name: 'wait', method: 'GET', path: `${definitionsPath}/${name}` });
      note('become established', read);
      if (read.text.includes('"type":"Established"') || read.text.length >= 20_000) return true;
      // The read is answered from memory in this turn of the event loop; the status is written in another.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  it('hold the event loop for a short time', async () => {
    const random = createSeededRandom(fuzzSeed());
    const complaints: string[] = [];
    const holds = new Map<string, { readonly ms: number; readonly what: string }>();
    let served = 0;
    for (const index of fuzzTurns('kinds', rounds)) {
      const kind = drawHostileKind(random, index, largest);
      const what = `${kind.feature} × ${kind.size}`;
      if (process.env['SHOW_KINDS'] !== undefined) console.log(`      ${what}`);
      const note = (step: string, { status, text, holdMs }: Outcome) => {
        if (holdMs > (holds.get(step)?.ms ?? 0)) holds.set(step, { ms: holdMs, what });
        if (step === 'define' && holdMs > maxHoldMs) complaints.push(`${step} of ${what} held ${holdMs.toFixed(0)} ms, ${status}`);
        if (status >= 500 && programError.test(text)) complaints.push(`${step} of ${what}: ${text.slice(0, 300)}`);
      };
      if (!(await define(kind, note))) continue;
      served++;
      for (const step of stepsOf(kind)) {
        let outcome = await send(step);
        // The compiler and the garbage collector are of the first time, mostly.
        for (let again = 0; again < 2 && outcome.holdMs > maxHoldMs; again++) outcome = await send(step);
        note(step.name, outcome);
        if (outcome.holdMs > maxHoldMs) complaints.push(`${step.name} of ${what} held ${outcome.holdMs.toFixed(0)} ms, ${outcome.status}`);
      }
      await send({
        name: 'remove',
        method: 'DELETE',
        path: `${definitionsPath}/${(kind.definition['metadata'] as { name: string }).name}`,
      });
    }
    if (Number(process.env['KUBETS_FUZZ'] ?? 0) > 0)
      for (const [step, { ms, what }] of holds) console.log(`      longest: ${step} of ${what}: ${ms.toFixed(1)} ms`);
    assert.deepEqual(complaints, []);
    assert.ok(served > rounds / 2, `only ${served} kinds were served`);
  });
});
