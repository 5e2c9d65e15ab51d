/**
 * A request that is sent to two API servers. In path, headers and body `{{name}}` is replaced by each server's own value: tokens and uids.
 */
export interface DifferentialRequest {
  /** The part of the generator that made it. */
  readonly part: string;
  /** The name of the identity that asks. */
  readonly as: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** JSON, or a text that is sent unchanged. */
  readonly body?: unknown;
  /** The media type of the body; absent: JSON. */
  readonly contentType?: string;
}

export interface Answer {
  readonly status: number;
  /** Without its parameters. */
  readonly contentType: string;
  /** The Warning headers, in order. */
  readonly warnings: readonly string[];
  readonly body: string;
}

/** A server's own values by name: tokens and uids. */
export type Facts = Map<string, string>;

/** Replaces the names in a text by the server's values. */
export function fillIn(text: string, facts: Facts): string {
  return text.replace(/\{\{([^{}]+)\}\}/g, (_, name: string) => {
    const fact = facts.get(name);
    if (fact === undefined) throw new Error(`there is no fact '${name}'`);
    return fact;
  });
}

export function describeRequest({ part, as, method, path, headers = [], body }: DifferentialRequest): string {
  const shown = body === undefined ? '' : ` ${(typeof body === 'string' ? body : JSON.stringify(body)).slice(0, 600)}`;
  const lines = headers.map(([name, value]) => ` ${name}: ${value.slice(0, 120)}`).join('');
  return `[${part}] ${as}: ${method} ${path}${lines}${shown}`;
}
