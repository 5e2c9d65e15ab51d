import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type AggregationRow, runAggregationCases } from './testing/aggregation-cases.ts';
import { startAggregatingServer } from './testing/start-aggregating-server.ts';

/** Recorded from kube-apiserver v1.32 by conformance/differential/record-aggregation.ts. */
const recorded = JSON.parse(readFileSync(path.join(import.meta.dirname, 'testdata/recorded.json'), 'utf8')) as AggregationRow[];

interface Result {
  readonly message?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly lines?: readonly string[];
  readonly text?: string;
}

/**
 * Takes out of a row where the two differ on purpose: v1.36 speaks of EndpointSlices; Go's client asks for gzip by itself and
 * passes `te` on; upstream changes links and locations in answers to the address of the endpoint, which clients cannot reach.
 */
function comparable({ what, result }: AggregationRow): unknown {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return { what, result };
  const { message, headers, lines, text, ...others } = result as Result;
  const { location: _location, 'content-type': type, ...shown } = headers ?? {};
  const isNotModified = 'status' in others && others.status === 304;
  return {
    what,
    ...others,
    message: message?.replace(/endpointslices|endpoints/, 'endpoints'),
    headers: { ...shown, ...(isNotModified ? {} : { type }) },
    lines: lines?.filter((line) => line !== 'accept-encoding: gzip' && line !== 'te: trailers'),
    text: text?.replace('"https://ENDPOINT', '"'),
  };
}

describe('aggregated API servers, as kube-apiserver treats them', function () {
  this.timeout(180_000);

  it('conditions, discovery, headers and statuses of all situations', async function () {
    const server = await startAggregatingServer();
    if (!server) return this.skip();
    try {
      const rows: unknown[] = [];
      for await (const row of runAggregationCases(server.ask, server.extension)) rows.push(comparable(row));
      assert.deepEqual(rows, recorded.map(comparable));
    } finally {
      await server.close();
    }
  });
});
