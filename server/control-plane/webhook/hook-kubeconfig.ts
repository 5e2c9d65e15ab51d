import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../../api/base/clock.ts';
import { findHookUser, type HookUser, type HookUsers } from '../../apiserver/webhooks/hook-users.ts';
import { WebhookError } from '../../apiserver/webhooks/review-webhook.ts';
import { parseKubeconfigUsers, type Piece, type UserAccess } from './webhook-access.ts';

/** Certificates, keys and tokens in files are read again after this time, when the next call is made. */
const rereadMs = 60_000;

/**
 * The credentials for webhooks in a kubeconfig, whose users are named by the host and port of a webhook. Throws where the file
 * cannot be used. A file that it names is read when it is needed: without it the call of the webhook fails.
 */
export function openHookUsers(file: string, { clock }: { readonly clock: Pick<Clock, 'monotonicMs'> }): HookUsers {
  const { users, current } = parseKubeconfigUsers(readFileSync(file), file);
  const names = new Set(users.keys());
  const read = new Map<string, { readonly user: Promise<HookUser>; readonly atMs: number }>();
  return {
    async find(host, port) {
      const name = findHookUser(names, host, port, current);
      const access = name === undefined ? undefined : users.get(name);
      if (name === undefined || !access) return undefined;
      const nowMs = clock.monotonicMs();
      const known = read.get(name);
      if (known && nowMs - known.atMs < rereadMs) return known.user;
      const user = readUser(access);
      read.set(name, { user, atMs: nowMs });
      // The next call tries again.
      user.catch(() => read.delete(name));
      return user;
    },
  };
}

async function readUser({ certificate, key, token, basicAuth }: UserAccess): Promise<HookUser> {
  const [certificatePEM, keyPEM, bearer] = await Promise.all([readPiece(certificate), readPiece(key), readPiece(token)]);
  const authorization = authorizationOf(bearer?.trim(), basicAuth);
  return {
    ...(certificatePEM !== undefined && keyPEM !== undefined ? { clientCertificate: { certificatePEM, keyPEM } } : {}),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

function authorizationOf(bearer: string | undefined, basicAuth: UserAccess['basicAuth']): string | undefined {
  if (bearer !== undefined) return `Bearer ${bearer}`;
  if (basicAuth) return `Basic ${Buffer.from(`${basicAuth.username}:${basicAuth.password}`).toString('base64')}`;
  return undefined;
}

async function readPiece(piece: Piece): Promise<string | undefined> {
  if (piece === undefined) return undefined;
  if ('inline' in piece) return Buffer.from(piece.inline).toString();
  try {
    return await readFile(piece.file, 'utf8');
  } catch {
    throw new WebhookError(`the credentials for the webhook cannot be read: open ${piece.file}`);
  }
}
