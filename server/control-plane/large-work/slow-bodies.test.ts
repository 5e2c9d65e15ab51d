import assert from 'node:assert/strict';
import { type Random, randomInt } from '../../../api/base/random.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { fuzzRuns, fuzzSeed, fuzzTurns } from '../../../api/schema/testing/fuzz-runs.ts';
import { oneOf } from '../../../api/schema/testing/random-value.ts';
import { encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import { formatYAML } from '../../../api/serialization/yaml.ts';
import { createLargeTasks } from '../../apiserver/registry/large-objects/large-tasks.ts';
import type { LargeWork } from '../../apiserver/registry/large-objects/large-work.ts';
import { type CompleteServer, startCompleteServer } from '../../apiserver/testing/complete-server.ts';
import { type ElementStyle, type GrowingBody, growingBodies } from '../../apiserver/testing/growing-bodies.ts';

/*
 * Looks for bodies that take long: one list or map of one kind is made large, in one of the media types. What took the
 * most time for each of its bytes is tried again, twice as large. What is worked on in a worker thread counts as time, but
 * not as a hold of the event loop.
 */

const rounds = fuzzRuns(150, 100_000);
const maxBytes = fuzzRuns(96 * 1024, 3 * 1024 * 1024);
/** Processor time of one turn, in milliseconds; on a machine that does nothing else a third of it. */
const maxHoldMs = 150;
/** Microseconds of processor time that a byte may take, in bodies that are large enough for what does not grow to vanish. */
const maxPerByte = 12;
const countedBytes = 24 * 1024;
/** Selectors are in the head of a request, of which `serving/serve.ts` takes no more. */
const maxSelectorBytes = 128 * 1024;

const mediaTypes = ['json', 'yaml', 'protobuf', 'merge', 'strategic', 'json-patch', 'apply', 'selector'] as const;
type MediaName = (typeof mediaTypes)[number];
const contentTypes: Readonly<Record<MediaName, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  'json-patch': 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
  selector: 'application/json',
};
/** An engine's errors about wrong programs, or about too much at once. */
const programError = /call stack|Invalid (?:array|string) length|Cannot read properties|is not (?:a function|iterable|defined)/;
const patches: ReadonlySet<MediaName> = new Set(['merge', 'strategic', 'json-patch', 'apply']);

interface Candidate {
  readonly body: GrowingBody;
  readonly media: MediaName;
  readonly size: number;
}

interface Result {
  readonly bytes: number;
  readonly perByte: number;
  readonly holdMs: number;
  readonly status: number;
  readonly text: string;
  readonly candidate: Candidate;
}

const creatable = catalog.filter(({ verbs }) => verbs.includes('create'));

function pathOf({ group, version, scope, names }: ResourceDefinition): string {
  return `${group === '' ? '/api' : `/apis/${group}`}/${version}${scope === 'Namespaced' ? '/namespaces/default' : ''}/${names.plural}`;
}

function selectorOf({ size, body }: Candidate): string {
  const requirement: Readonly<Record<ElementStyle, (index: number) => string>> = {
    same: () => 'a=b',
    distinct: (index) => `a${index} in (x,y${index})`,
    empty: (index) => `!a${index}`,
  };
  const parts = Array.from({ length: size }, (_, index) => requirement[body.style](index));
  const fields = Array.from({ length: size }, (_, index) => `metadata.name!=${body.style === 'same' ? 'a' : `a${index}`}`);
  return body.path.length % 2 === 0 ? `fieldSelector=${fields.join(',')}` : `labelSelector=${encodeURIComponent(parts.join(','))}`;
}

function encode({ media, body, size }: Candidate): Uint8Array {
  const object = body.make(size);
  switch (media) {
    case 'yaml':
      return Buffer.from(formatYAML(object));
    case 'protobuf':
      return encodeProtobuf(object as never);
    case 'json-patch':
      return Buffer.from(JSON.stringify(Object.keys(object).map((key) => ({ op: 'add', path: `/${key}`, value: object[key] }))));
    default:
      return Buffer.from(JSON.stringify(object));
  }
}

describe(`the slowest of ${rounds} bodies`, function () {
  this.timeout(6 * 3_600_000);
  const perform = createLargeTasks(catalog, () => 0);
  const now = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let elsewhereMs = 0;
  const largeWork: LargeWork = {
    async run(task) {
      await new Promise((resolve) => setImmediate(resolve));
      const start = now();
      try {
        return perform(task);
      } finally {
        elsewhereMs += now() - start;
      }
    },
    nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
  };
  const bodies = creatable.flatMap((definition) => [...growingBodies(definition)]);
  let complete: CompleteServer;
  before(async () => {
    complete = await startCompleteServer(undefined, {}, {}, { largeWork });
    // Most kinds have something to be patched.
    for (const definition of creatable.filter(({ storagePrefix }) => storagePrefix !== undefined)) {
      for (const body of growingBodies(definition)) if ((await create(body)) === 201) break;
    }
  });
  after(() => complete.close());

  async function create(body: GrowingBody): Promise<number> {
    const { status } = await complete.server.transport({
      method: 'POST',
      path: pathOf(body.definition),
      query: '',
      headers: { 'content-type': 'application/json', 'user-agent': 'fuzz' },
      body: Buffer.from(JSON.stringify(body.make(1))),
      signal: new AbortController().signal,
      user: { name: 'admin', groups: ['system:masters', 'system:authenticated'] },
    });
    return status;
  }

  /** Sends a body, and measures. */
  async function send(candidate: Candidate): Promise<Result> {
    const { media, body } = candidate;
    const isPatch = patches.has(media);
    const isSelector = media === 'selector';
    const bytes = isSelector ? Buffer.alloc(0) : encode(candidate);
    const query = isSelector ? selectorOf(candidate) : `dryRun=All${isPatch ? '&fieldManager=fuzz' : ''}`;
    const path = pathOf(body.definition);
    let isOver = false;
    let holdMs = 0;
    let last = now();
    let lastElsewhere = elsewhereMs;
    const begin = last;
    const turn = () => {
      const present = now();
      holdMs = Math.max(holdMs, present - last - (elsewhereMs - lastElsewhere));
      last = present;
      lastElsewhere = elsewhereMs;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    const response = await complete.server.transport({
      method: isSelector ? 'GET' : isPatch ? 'PATCH' : 'POST',
      path: isPatch ? `${path}/grown` : path,
      query,
      headers: { 'content-type': contentTypes[media], 'user-agent': 'fuzz' },
      ...(isSelector ? {} : { body: bytes }),
      signal: new AbortController().signal,
      user: { name: 'admin', groups: ['system:masters', 'system:authenticated'] },
    });
    isOver = true;
    turn();
    const length = isSelector ? query.length : bytes.length;
    const text = response.body.kind === 'bytes' && response.status >= 500 ? Buffer.from(response.body.bytes).toString() : '';
    return { bytes: length, perByte: ((last - begin) * 1000) / length, holdMs, status: response.status, text, candidate };
  }

  const draw = (random: Random): Candidate => ({
    body: oneOf(random, bodies),
    media: oneOf(random, mediaTypes),
    size: 2 ** (4 + randomInt(random, 8)),
  });

  it('takes no more than its share, and holds the event loop for a short time', async () => {
    const random = createSeededRandom(fuzzSeed());
    const slowest = new Map<MediaName, Result>();
    let longest: Result | undefined;
    let next: Candidate | undefined;
    const complaints: string[] = [];
    for (const _ of fuzzTurns('bodies', rounds)) {
      const candidate = next ?? draw(random);
      next = undefined;
      if (candidate.media !== 'selector' && encode({ ...candidate, size: 1 }).length * candidate.size > 4 * maxBytes) continue;
      let result = await send(candidate);
      if (result.bytes > (candidate.media === 'selector' ? maxSelectorBytes : maxBytes)) continue;
      const isOdd = () => result.holdMs > maxHoldMs || (result.bytes >= countedBytes && result.perByte > maxPerByte);
      // The compiler and the garbage collector are of the first time, mostly.
      for (let again = 0; again < 2 && isOdd(); again++) result = await send(candidate);
      if (isOdd()) complaints.push(describeResult(result));
      if (programError.test(result.text)) complaints.push(`${describeResult(result)}: ${result.text.slice(0, 300)}`);
      const before = slowest.get(candidate.media);
      if (result.bytes >= countedBytes && result.perByte > (before?.perByte ?? 0)) {
        slowest.set(candidate.media, result);
        next = { ...candidate, size: 2 * candidate.size };
      }
      if (result.holdMs > (longest?.holdMs ?? 0)) longest = result;
    }
    if (Number(process.env['KUBETS_FUZZ'] ?? 0) > 0) {
      for (const result of slowest.values()) console.log(`      slowest: ${describeResult(result)}`);
      if (longest) console.log(`      longest hold: ${describeResult(longest)}`);
    }
    assert.deepEqual(complaints, []);
  });
});

function describeResult({ bytes, perByte, holdMs, status, candidate: { body, media, size } }: Result): string {
  const what = `${body.definition.names.plural} ${body.path} ${body.style} x ${size}`;
  return `${media} ${what}: ${bytes} bytes, ${perByte.toFixed(2)} us for each, held ${holdMs.toFixed(1)} ms, ${status}`;
}
