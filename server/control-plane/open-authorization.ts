import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Clock } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { ConfiguredAuthorizer } from '../apiserver/authorization/authorizer-chain.ts';
import { type AuthorizerConfiguration, readAuthorizationConfiguration } from '../apiserver/authorization/configuration.ts';
import { type AuthorizationFlags, planAuthorization } from '../apiserver/authorization/mode-flags.ts';
import { createConfigReloadMetrics } from '../apiserver/metrics/config-reload-metrics.ts';
import type { MetricFamilies } from '../apiserver/metric-families.ts';
import { followFiles } from '../files/follow-files.ts';
import { type ClosableReviewWebhook, createReviewWebhook } from './webhook/create-review-webhook.ts';

/** The authorizers of a server, and how they change while it runs. */
export interface AuthorizationSetup {
  readonly authorizers: readonly ConfiguredAuthorizer[];
  /** Hands on other authorizers whenever the file has changed, until the signal is aborted. Never rejects. */
  follow(target: FollowTarget, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface FollowTarget {
  readonly metrics: MetricFamilies;
  replace(authorizers: readonly ConfiguredAuthorizer[]): void;
}

export interface AuthorizationDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Calls of a replaced webhook may take as long as the longest timeout allows, with their repetitions. */
const closeAfterMs = 180_000;

/** The authorization that the flags ask for. Rejects with the errors in them, in upstream's words. */
export async function openAuthorization(flags: AuthorizationFlags, dependencies: AuthorizationDependencies): Promise<AuthorizationSetup> {
  const plan = planAuthorization(flags);
  if ('file' in plan) return await openFile(path.resolve(plan.file), dependencies);
  const connected = await connectAll(plan.authorizers, dependencies);
  return { authorizers: connected.authorizers, follow: async () => {}, close: connected.close };
}

async function openFile(file: string, dependencies: AuthorizationDependencies): Promise<AuthorizationSetup> {
  const { clock, logger } = dependencies;
  const { content, first, ...initial } = await readFirst(file, dependencies);
  const requiredTypes = first.flatMap(({ type }) => (type === 'Webhook' ? [] : [type]));
  let { connected } = initial;
  return {
    authorizers: connected.authorizers,
    close: () => connected.close(),
    async follow({ metrics: families, replace }, signal) {
      const metrics = createConfigReloadMetrics(families, { what: 'authorization', serverID: serverID(os.hostname()), clock });
      metrics.succeeded(content);
      // A file that cannot be used is counted once, and looked at again when it has changed.
      const apply = async ([changed]: readonly (Uint8Array | undefined)[]) => {
        try {
          if (changed === undefined) throw new Error(`open ${file}: no such file or directory`);
          const configuration = readAuthorizationConfiguration(changed, { findFileProblem, requiredTypes });
          const next = await connectAll(configuration, dependencies);
          const before = connected;
          replace(next.authorizers);
          connected = next;
          clock.setTimer(closeAfterMs, before.close, { background: true });
          metrics.succeeded(changed);
          logger.info('the authorization configuration has been loaded anew', { file });
        } catch (error) {
          metrics.failed();
          logger.error('the changed authorization configuration cannot be used, the one before is', { file, error });
        }
      };
      await followFiles([file], { clock, logger, what: 'authorization configuration', known: [content], apply }, signal);
    },
  };
}

async function readFirst(file: string, dependencies: AuthorizationDependencies) {
  try {
    const content = await readFile(file);
    const first = readAuthorizationConfiguration(content, { findFileProblem });
    return { content, first, connected: await connectAll(first, dependencies) };
  } catch (error) {
    throw new Error(`--authorization-config ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

interface Connected {
  readonly authorizers: readonly ConfiguredAuthorizer[];
  close(): void;
}

async function connectAll(configuration: readonly AuthorizerConfiguration[], { clock }: AuthorizationDependencies): Promise<Connected> {
  const webhooks: ClosableReviewWebhook[] = [];
  const close = () => {
    for (const webhook of webhooks) webhook.close();
  };
  try {
    const authorizers: ConfiguredAuthorizer[] = [];
    for (const one of configuration) {
      if (one.type !== 'Webhook') {
        authorizers.push(one);
        continue;
      }
      const webhook = await createReviewWebhook(one.webhook.kubeConfigFile, { clock });
      webhooks.push(webhook);
      authorizers.push({ type: 'Webhook', name: one.name, settings: one.webhook, webhook });
    }
    return { authorizers, close };
  } catch (error) {
    close();
    throw error;
  }
}

function findFileProblem(file: string): string | undefined {
  try {
    return statSync(file).isFile() ? undefined : 'must be a regular file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'no such file or directory',
      EACCES: 'permission denied',
      ENOTDIR: 'not a directory',
    };
    return `error loading file: stat ${file}: ${reasons[code ?? ''] ?? String(code)}`;
  }
}

const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** The identity of the API server of a machine, as upstream makes it of the machine's name. */
export function serverID(hostName: string): string {
  const bytes = createHash('sha256').update(hostName).digest().subarray(0, 16);
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  const letters = (bits.match(/.{1,5}/g) ?? []).map((five) => base32.charAt(Number.parseInt(five.padEnd(5, '0'), 2)));
  return `apiserver-${letters.join('')}`;
}
