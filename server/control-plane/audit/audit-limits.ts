import type { BatchOptions } from '../../apiserver/audit/batching-backend.ts';

export type AuditBackendName = 'Log' | 'Webhook';

/** kube-apiserver's flags of batches and sizes, the same for both backends; durations in milliseconds. */
export type AuditLimitFlags = {
  readonly [Name in `audit${AuditBackendName}Batch${'BufferSize' | 'MaxSize' | 'MaxWait' | 'ThrottleBurst' | 'ThrottleQps'}`]: number;
} & {
  readonly [Name in `audit${AuditBackendName}Truncate${'MaxBatchSize' | 'MaxEventSize'}`]: number;
} & {
  readonly [Name in `audit${AuditBackendName}${'BatchThrottleEnable' | 'TruncateEnabled'}`]: boolean;
} & { readonly auditWebhookInitialBackoff: number };

interface AuditLimits {
  readonly batch: BatchOptions;
  /** Bytes; absent: events of any size. */
  readonly maxEventBytes?: number;
}

/** Of all events that wait together: each may hold two objects. */
const maxWaitingLength = 64 * 1024 * 1024;
/** How often a batch is sent again. A file that cannot be written is not tried again. */
const retries: Readonly<Record<AuditBackendName, number>> = { Log: 0, Webhook: 4 };

export function auditLimits(flags: AuditLimitFlags, backend: AuditBackendName): AuditLimits {
  const truncates = flags[`audit${backend}TruncateEnabled`];
  return {
    batch: {
      bufferSize: flags[`audit${backend}BatchBufferSize`],
      bufferLength: maxWaitingLength,
      maxSize: flags[`audit${backend}BatchMaxSize`],
      maxWaitMs: flags[`audit${backend}BatchMaxWait`],
      retries: retries[backend],
      initialBackoffMs: flags.auditWebhookInitialBackoff,
      ...(flags[`audit${backend}BatchThrottleEnable`]
        ? { throttle: { batchesPerSecond: flags[`audit${backend}BatchThrottleQps`], burst: flags[`audit${backend}BatchThrottleBurst`] } }
        : {}),
      ...(truncates ? { maxBytes: flags[`audit${backend}TruncateMaxBatchSize`] } : {}),
    },
    ...(truncates ? { maxEventBytes: flags[`audit${backend}TruncateMaxEventSize`] } : {}),
  };
}

/** Throws for limits that no backend could keep. */
export function checkAuditLimits(flags: AuditLimitFlags, backend: AuditBackendName, isBatched: boolean): void {
  const name = backend.toLowerCase();
  const isCount = (value: number) => Number.isInteger(value) && value > 0;
  const isPositive = (value: number) => Number.isFinite(value) && value > 0;
  const problems: [isWrong: boolean, what: string][] = [
    [isBatched && !isCount(flags[`audit${backend}BatchBufferSize`]), `invalid audit batch ${name} buffer size, must be a positive number`],
    [isBatched && !isCount(flags[`audit${backend}BatchMaxSize`]), `invalid audit batch ${name} max batch size, must be a positive number`],
  ];
  if (isBatched && flags[`audit${backend}BatchThrottleEnable`])
    problems.push(
      [!isPositive(flags[`audit${backend}BatchThrottleQps`]), `invalid audit batch ${name} throttle QPS, must be a positive number`],
      [!isCount(flags[`audit${backend}BatchThrottleBurst`]), `invalid audit batch ${name} throttle burst, must be a positive number`],
    );
  if (flags[`audit${backend}TruncateEnabled`]) {
    const [event, batch] = [flags[`audit${backend}TruncateMaxEventSize`], flags[`audit${backend}TruncateMaxBatchSize`]];
    problems.push(
      [!isCount(event), `invalid audit truncate ${name} max event size, must be a positive number`],
      [!(batch >= event), `invalid audit truncate ${name} max batch size, max event size must not be greater than max batch size`],
    );
  }
  const wrong = problems.find(([isWrong]) => isWrong);
  if (wrong) throw new Error(wrong[1]);
}
