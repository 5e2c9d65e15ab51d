import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { load } from 'js-yaml';

/** How to reach an API server and who to be there. PEM where certificates and keys are concerned. */
export interface ClusterAccess {
  readonly server: string;
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly token?: string;
}

type Fields = Readonly<Record<string, unknown>>;

interface Named {
  readonly name: string;
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly contexts?: readonly (Named & { readonly context: { readonly cluster: string; readonly user: string } })[];
  readonly clusters?: readonly (Named & { readonly cluster: Fields })[];
  readonly users?: readonly (Named & { readonly user: Fields })[];
}

/** Reads the current context of a kubeconfig. Files it names are relative to it. */
export async function readKubeconfig(file: string): Promise<ClusterAccess> {
  const config = (load(await readFile(file, 'utf8')) ?? {}) as Kubeconfig;
  const context = config.contexts?.find(({ name }) => name === config['current-context'])?.context ?? config.contexts?.[0]?.context;
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  const user = config.users?.find(({ name }) => name === context?.user)?.user ?? {};
  const server = cluster?.['server'];
  if (!cluster || typeof server !== 'string') throw new Error(`${file} names no cluster`);
  const value = async (fields: Fields, name: string): Promise<string | undefined> => {
    const data = fields[`${name}-data`];
    if (typeof data === 'string' && data !== '') return Buffer.from(data, 'base64').toString();
    const named = fields[name];
    return typeof named === 'string' && named !== '' ? readFile(path.resolve(path.dirname(file), named), 'utf8') : undefined;
  };
  const [ca, certificate, key] = [
    await value(cluster, 'certificate-authority'),
    await value(user, 'client-certificate'),
    await value(user, 'client-key'),
  ];
  const token = user['token'];
  return {
    server,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(typeof token === 'string' ? { token } : {}),
  };
}
