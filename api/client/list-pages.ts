import type { KubeObject } from '../meta/object.ts';
import type { ListOptions, ResourceClient } from './client.ts';

/**
 * Yields all objects of a list, fetched page by page. An expired continue token throws the server's 410: a caller that needs one consistent
 * list begins again.
 */
export async function* listPages<T extends KubeObject>(
  client: ResourceClient<T>,
  options: ListOptions = {},
): AsyncGenerator<{ readonly items: T[]; readonly resourceVersion: string }, void, undefined> {
  let token = options.continue;
  do {
    const { resourceVersion: _first, ...later } = options;
    const page = await client.list({ limit: 500, ...(token ? { ...later, continue: token } : options) });
    yield { items: page.items, resourceVersion: page.metadata.resourceVersion ?? '' };
    token = page.metadata.continue;
  } while (token);
}

/** Lists all pages and joins them into one list with the first page's resourceVersion. */
export async function listAll<T extends KubeObject>(
  client: ResourceClient<T>,
  options: ListOptions = {},
): Promise<{ readonly items: T[]; readonly resourceVersion: string }> {
  const items: T[] = [];
  let resourceVersion = '';
  for await (const page of listPages(client, options)) {
    for (const item of page.items) items.push(item);
    resourceVersion ||= page.resourceVersion;
  }
  return { items, resourceVersion };
}
