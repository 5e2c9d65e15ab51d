import { readFileSync } from 'node:fs';
import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import { createHTTPTransport } from '../../../api/client/http-transport.ts';
import { readBody } from '../../../api/client/read-body.ts';
import { parseYAML } from '../../../api/serialization/yaml.ts';
import { readKubeconfig } from '../../../node-agent/linux/files/read-kubeconfig.ts';
import type { AuditBackend } from '../../apiserver/audit/audit-backend.ts';
import { type AuditEvent, formatAuditEvent, formatLegacyAuditEvent } from '../../apiserver/audit/audit-event.ts';
import { type AuditStage, parseAuditPolicy } from '../../apiserver/audit/audit-policy.ts';
import { createBatchingBackend } from '../../apiserver/audit/batching-backend.ts';
import { type FormatEvent, truncateEvents } from '../../apiserver/audit/truncate-event.ts';
import type { AuditOptions } from '../../apiserver/filters/audit.ts';
import { openAuditLogFile } from './audit-log-file.ts';
import { type AuditBackendName, type AuditLimitFlags, auditLimits, checkAuditLimits } from './audit-limits.ts';

export type AuditMode = 'batch' | 'blocking' | 'blocking-strict';

/** kube-apiserver's flags of audit, by their names. */
export interface AuditFlags extends AuditLimitFlags {
  readonly auditPolicyFile?: string;
  /** `-`: standard output. */
  readonly auditLogPath?: string;
  readonly auditLogFormat: 'json' | 'legacy';
  readonly auditLogMode: AuditMode;
  /** Megabytes. */
  readonly auditLogMaxsize: number;
  /** Days. */
  readonly auditLogMaxage: number;
  readonly auditLogMaxbackup: number;
  readonly auditLogCompress?: boolean;
  readonly auditWebhookConfigFile?: string;
  readonly auditWebhookMode: AuditMode;
}

export interface AuditDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  print(line: string): void;
}

const defaultMaxMegabytes = 100;
const webhookTimeoutMs = 30_000;

/** The audit that the flags ask for; undefined where they ask for none. Rejects with the errors in them. */
export async function createAudit(flags: AuditFlags, dependencies: AuditDependencies): Promise<AuditOptions | undefined> {
  const { auditPolicyFile: file, auditLogPath: log, auditWebhookConfigFile: webhook } = flags;
  if (log === undefined && webhook === undefined) {
    if (file !== undefined) dependencies.logger.warn('an audit policy was given and no backend: nothing is audited', { file });
    return undefined;
  }
  if (file === undefined) {
    dependencies.logger.warn('an audit backend was given and no --audit-policy-file: nothing is audited');
    return undefined;
  }
  const policy = readPolicy(file);
  const backends = [
    ...(log === undefined ? [] : [await createLogBackend(log, flags, dependencies)]),
    ...(webhook === undefined ? [] : [await createWebhookBackend(webhook, flags, dependencies)]),
  ];
  return { policy, backend: unite(backends) };
}

function readPolicy(file: string): AuditOptions['policy'] {
  try {
    return parseAuditPolicy(parseYAML(readFileSync(file)).value);
  } catch (error) {
    throw new Error(`--audit-policy-file ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function createLogBackend(file: string, flags: AuditFlags, dependencies: AuditDependencies): Promise<AuditBackend> {
  const { auditLogFormat: format, auditLogMode: mode } = flags;
  const formatLine = formatter(flags, 'Log', mode, dependencies, (event, stage, stageMs) =>
    format === 'json' ? formatAuditEvent(event, stage, stageMs) : formatLegacyAuditEvent(event, stage),
  );
  if (file === '-') {
    return {
      record(...event) {
        const line = formatLine(...event);
        if (line !== undefined) dependencies.print(`${line}\n`);
        return undefined;
      },
      close: async () => {},
    };
  }
  const limits = {
    maxBytes: (flags.auditLogMaxsize || defaultMaxMegabytes) * 1024 * 1024,
    maxAgeDays: flags.auditLogMaxage,
    maxBackups: flags.auditLogMaxbackup,
    compress: flags.auditLogCompress ?? false,
  };
  const opened = await openAuditLogFile(file, limits, dependencies.clock);
  if (mode === 'batch') {
    const send = async (lines: readonly string[]) => opened.append(lines.join('\n'));
    return closing(createBatchingBackend(auditLimits(flags, 'Log').batch, { ...dependencies, format: formatLine, send }), () =>
      opened.close(),
    );
  }
  const append = async (...event: Parameters<FormatEvent>) => {
    const line = formatLine(...event);
    if (line !== undefined) await opened.append(line);
  };
  const backend = blocking(append, mode, dependencies.logger);
  return closing(mode === 'blocking' ? answersWait(backend) : backend, () => opened.close());
}

/**
 * The first event of a request is handed on when the request comes, and not waited for: events are written in order, so that
 * whoever waits for a later one has waited for it too. No answer begins before its events are written.
 */
function answersWait(backend: AuditBackend): AuditBackend {
  return {
    record(event, stage, stageMs) {
      const stored = backend.record(event, stage, stageMs);
      return stage === 'RequestReceived' ? undefined : stored;
    },
    close: backend.close,
  };
}

/** Formats events for a backend, within its limits; throws where these make no sense. */
function formatter(flags: AuditFlags, backend: AuditBackendName, mode: AuditMode, { logger }: AuditDependencies, format: FormatEvent) {
  checkAuditLimits(flags, backend, mode === 'batch');
  const { maxEventBytes } = auditLimits(flags, backend);
  if (maxEventBytes === undefined) return format;
  const truncate = truncateEvents(maxEventBytes, format);
  return (...event: Parameters<FormatEvent>) => {
    const line = truncate(...event);
    if (line === undefined) logger.error('an audit event is lost: it is too large even after truncating', { auditID: event[0].auditID });
    return line;
  };
}

async function createWebhookBackend(file: string, flags: AuditFlags, dependencies: AuditDependencies): Promise<AuditBackend> {
  const mode = flags.auditWebhookMode;
  const format = formatter(flags, 'Webhook', mode, dependencies, formatAuditEvent);
  const { server, ca, certificate, key, token } = await readKubeconfig(file);
  const { transport, close } = createHTTPTransport({
    ...{ server, clock: dependencies.clock },
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(token === undefined ? {} : { token: () => token }),
  });
  const send = async (events: readonly string[]) => {
    const body = Buffer.from(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${events.join()}]}`);
    const limit = new AbortController();
    const timer = dependencies.clock.setTimer(webhookTimeoutMs, () => limit.abort(new Error('no answer in time')), { background: true });
    try {
      const headers = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'kubets' };
      const answer = await transport({ method: 'POST', path: '', query: '', headers, body, signal: limit.signal });
      await readBody(answer.body);
      if (answer.status < 200 || answer.status > 299) throw new Error(`the webhook answers ${answer.status}`);
    } finally {
      timer.cancel();
    }
  };
  if (mode === 'batch')
    return closing(createBatchingBackend(auditLimits(flags, 'Webhook').batch, { ...dependencies, format, send }), async () => close());
  const sendOne = async (...event: Parameters<FormatEvent>) => {
    const line = format(...event);
    if (line !== undefined) await send([line]);
  };
  return closing(blocking(sendOne, mode, dependencies.logger), async () => close());
}

type Store = (event: AuditEvent, stage: AuditStage, stageMs: number) => Promise<void>;

/** Requests wait for their events; with `blocking-strict` they fail where the first of these cannot be stored. */
function blocking(store: Store, mode: AuditMode, logger: Logger): AuditBackend {
  return {
    async record(event, stage, stageMs) {
      try {
        await store(event, stage, stageMs);
      } catch (error) {
        logger.error('an audit event is lost', { auditID: event.auditID, stage, error });
        if (mode === 'blocking-strict' && stage === 'RequestReceived') throw error;
      }
    },
    close: async () => {},
  };
}

function closing(backend: AuditBackend, close: () => Promise<void>): AuditBackend {
  return { record: backend.record, close: () => backend.close().finally(close) };
}

function unite(backends: readonly AuditBackend[]): AuditBackend {
  const [only, ...others] = backends;
  if (only && others.length === 0) return only;
  return {
    async record(...event) {
      await Promise.all(backends.map((backend) => backend.record(...event)));
    },
    async close() {
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
}
