import { affinityMap } from './base-table.ts';

/** A client in the map of clients, an element that packets have put there. */
export interface RememberedClient {
  /** `<client> . <address> . <protocol> . <port>`, the element's key. */
  readonly key: string;
  /** `<address> . <protocol> . <port>`. */
  readonly front: string;
  /** `<protocol> . <port>`, used if the address is one of the node's. */
  readonly nodePort: string;
  /** `<address> . <port>`. */
  readonly endpoint: string;
}

/** From the parts of an element's key, as nft prints it, and its data. */
export function rememberedClient(key: readonly unknown[], endpoint: string): RememberedClient {
  const [, address, protocol, port] = key;
  return { key: key.join(' . '), front: `${address} . ${protocol} . ${port}`, nodePort: `${protocol} . ${port}`, endpoint };
}

/**
 * Removes elements from the map of clients. Each is added first, since an element that has expired meanwhile could not be removed. Fails if
 * one has got another endpoint meanwhile.
 */
export function renderForgetting(clients: readonly RememberedClient[], table: string): string {
  return clients
    .map(
      ({ key, endpoint }) =>
        `add element ${table} ${affinityMap} { ${key} : ${endpoint} }\ndelete element ${table} ${affinityMap} { ${key} }\n`,
    )
    .join('');
}
