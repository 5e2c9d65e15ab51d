import path from 'node:path';
import { isJSONObject, type JSONObject } from '../../../api/base/json-object.ts';
import { parseYAML } from '../../../api/serialization/yaml.ts';

/** A part of a kubeconfig: contained in it, or in a separate file that may be replaced. */
export type Piece = { readonly inline: Uint8Array } | { readonly file: string } | undefined;

/** How a webhook is reached, and the credentials that it is shown. */
export interface WebhookAccess {
  readonly server: string;
  readonly serverName?: string;
  readonly insecureSkipTLSVerify: boolean;
  readonly ca: Piece;
  readonly certificate: Piece;
  readonly key: Piece;
  readonly token: Piece;
  readonly basicAuth?: { readonly username: string; readonly password: string };
}

/** The credentials of a user of a kubeconfig. */
export type UserAccess = Pick<WebhookAccess, 'certificate' | 'key' | 'token' | 'basicAuth'>;

/** The users of a kubeconfig by their names, and the user of its current context. */
export interface KubeconfigUsers {
  readonly users: ReadonlyMap<string, UserAccess>;
  readonly current?: string;
}

/** Reads the users of a kubeconfig; files that it names are relative to it. Throws for ways of authentication that are not supported. */
export function parseKubeconfigUsers(text: Uint8Array | string, file: string): KubeconfigUsers {
  const config = objectOf(parseYAML(text).value, 'the kubeconfig');
  const entries = [...named(config, 'users', 'user')];
  for (const [name, user] of entries) refuseUnsupported(name, user);
  const current = named(config, 'contexts', 'context').get(textOf(config, 'current-context'));
  const currentUser = current === undefined ? '' : textOf(current, 'user');
  return {
    users: new Map(entries.map(([name, user]) => [name, credentialsOf(user, file)])),
    ...(currentUser === '' ? {} : { current: currentUser }),
  };
}

const refused = ['exec', 'auth-provider', 'as', 'as-groups', 'as-uid', 'as-user-extra'];

/**
 * Reads the current context of a webhook's kubeconfig; files that it names are relative to it. Throws for missing parts and for unsupported
 * ways of authentication.
 */
export function parseWebhookKubeconfig(text: Uint8Array | string, file: string): WebhookAccess {
  const config = objectOf(parseYAML(text).value, 'the kubeconfig');
  const contexts = named(config, 'contexts', 'context');
  const current = textOf(config, 'current-context');
  if (current === '') throw new Error('invalid configuration: no configuration has been provided, current-context is empty');
  const context = contexts.get(current);
  if (!context) throw new Error(`context was not found for specified context: ${current}`);
  const clusterName = textOf(context, 'cluster');
  const cluster = named(config, 'clusters', 'cluster').get(clusterName);
  if (!cluster) throw new Error(`cluster ${JSON.stringify(clusterName)} was not found`);
  const userName = textOf(context, 'user');
  const user = userName === '' ? {} : named(config, 'users', 'user').get(userName);
  if (!user) throw new Error(`auth info ${JSON.stringify(userName)} does not exist`);
  refuseUnsupported(userName, user);
  if (textOf(cluster, 'proxy-url') !== '')
    throw new Error(`clusters[${JSON.stringify(clusterName)}].cluster.proxy-url is not supported for webhooks`);
  return { ...connectionOf(cluster, clusterName, file), ...credentialsOf(user, file) };
}

function refuseUnsupported(name: string, user: JSONObject): void {
  const unsupported = refused.find((field) => user[field] !== undefined);
  if (unsupported !== undefined) throw new Error(`users[${JSON.stringify(name)}].user.${unsupported} is not supported for webhooks`);
}

type Connection = Pick<WebhookAccess, 'server' | 'serverName' | 'insecureSkipTLSVerify' | 'ca'>;

function connectionOf(cluster: JSONObject, name: string, file: string): Connection {
  const given = textOf(cluster, 'server');
  if (given === '') throw new Error(`cluster ${JSON.stringify(name)} has no server defined`);
  const server = given.includes('://') ? given : `http://${given}`;
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol))
    throw new Error(`the server ${JSON.stringify(given)} of cluster ${JSON.stringify(name)} is not a URL with http or https`);
  const insecureSkipTLSVerify = cluster['insecure-skip-tls-verify'] === true;
  const ca = pieceOf(cluster, 'certificate-authority', file);
  if (insecureSkipTLSVerify && ca) throw new Error('specifying a root certificates file with the insecure flag is not allowed');
  const serverName = textOf(cluster, 'tls-server-name');
  return { server, insecureSkipTLSVerify, ca, ...(serverName === '' ? {} : { serverName }) };
}

function credentialsOf(user: JSONObject, file: string): UserAccess {
  const [certificate, key] = [pieceOf(user, 'client-certificate', file), pieceOf(user, 'client-key', file)];
  if ((certificate === undefined) !== (key === undefined))
    throw new Error('client-key-data or client-key must be specified to use the clientCert authentication method.');
  const [username, tokenFile, token] = [textOf(user, 'username'), textOf(user, 'tokenFile'), textOf(user, 'token')];
  const inlineToken = token === '' ? undefined : { inline: Buffer.from(token) };
  return {
    certificate,
    key,
    token: tokenFile === '' ? inlineToken : { file: path.resolve(path.dirname(file), tokenFile) },
    ...(username === '' ? {} : { basicAuth: { username, password: textOf(user, 'password') } }),
  };
}

/** `<name>-data` in base64 has precedence over the file `<name>`. */
function pieceOf(fields: JSONObject, name: string, file: string): Piece {
  const data = textOf(fields, `${name}-data`);
  if (data !== '') return { inline: Buffer.from(data, 'base64') };
  const reference = textOf(fields, name);
  return reference === '' ? undefined : { file: path.resolve(path.dirname(file), reference) };
}

function named(config: JSONObject, list: string, field: string): ReadonlyMap<string, JSONObject> {
  const entries = config[list] ?? [];
  if (!Array.isArray(entries)) throw new Error(`${list} is not a list`);
  return new Map(
    entries.map((one: unknown) => {
      const entry = objectOf(one, `an entry of ${list}`);
      return [textOf(entry, 'name'), objectOf(entry[field] ?? {}, `${list}.${field}`)];
    }),
  );
}

function objectOf(value: unknown, what: string): JSONObject {
  if (!isJSONObject(value)) throw new Error(`${what} is not an object`);
  return value;
}

function textOf(fields: JSONObject, name: string): string {
  const value = fields[name] ?? '';
  if (typeof value !== 'string') throw new Error(`${name} is not a string`);
  return value;
}
