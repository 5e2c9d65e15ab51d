/** An answer over HTTP, redirects followed. */
export interface IssuerAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Fetches documents of an issuer over TLS, bounded in bytes and time. */
export interface IssuerClient {
  get(url: string, options?: { readonly bearerToken?: string; readonly signal?: AbortSignal }): Promise<IssuerAnswer>;
}

/** Parses the JSON of a successful answer. Throws an Error that describes any other answer. */
export function readJSONAnswer({ status, statusText, contentType, body }: IssuerAnswer): unknown {
  const text = new TextDecoder().decode(body);
  if (status !== 200) throw new Error(`${status} ${statusText}: ${text.slice(0, 1000)}`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`expected Content-Type = application/json, got ${JSON.stringify(contentType)}: ${String(error)}`, { cause: error });
  }
}
