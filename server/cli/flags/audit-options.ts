import { type Command, Option } from 'commander';
import { parseBoolean, parseDuration } from './parse-flags.ts';

const modes = ['batch', 'blocking', 'blocking-strict'];

/** The flags of kube-apiserver's audit log, by their names. */
export function addAuditOptions(command: Command): Command {
  const add = (option: Option) => void command.addOption(option);
  add(new Option('--audit-policy-file <path>', 'a Policy of audit.k8s.io/v1: what is recorded of which requests'));
  add(new Option('--audit-log-path <path>', "where events are appended, a line each; '-' is standard output"));
  add(new Option('--audit-log-format <format>', 'how').choices(['json', 'legacy']).default('json'));
  add(
    new Option('--audit-log-mode <mode>', 'whether requests wait until their events are written, and fail if they cannot be')
      .choices(modes)
      .default('blocking'),
  );
  add(new Option('--audit-log-maxsize <megabytes>', 'when a new file is begun').default(100).argParser(Number));
  add(new Option('--audit-log-maxage <days>', 'how long old files are kept; 0: for ever').default(0).argParser(Number));
  add(new Option('--audit-log-maxbackup <number>', 'how many old files are kept; 0: all').default(0).argParser(Number));
  add(new Option('--audit-log-compress', 'compress old files with gzip'));
  add(new Option('--audit-webhook-config-file <path>', 'a kubeconfig: where events are posted'));
  add(new Option('--audit-webhook-mode <mode>', 'as --audit-log-mode').choices(modes).default('batch'));
  add(
    new Option('--audit-webhook-initial-backoff <duration>', 'how long is waited before a batch is sent again')
      .default(10_000, '10s')
      .argParser(parseDuration),
  );
  addLimits(command, 'log', { maxSize: 1, maxWait: [0, '0s'], throttles: false, burst: 0, qps: 0 });
  addLimits(command, 'webhook', { maxSize: 400, maxWait: [30_000, '30s'], throttles: true, burst: 15, qps: 10 });
  return command;
}

interface BatchDefaults {
  readonly maxSize: number;
  readonly maxWait: readonly [ms: number, text: string];
  readonly throttles: boolean;
  readonly burst: number;
  readonly qps: number;
}

/** Adds the flags that both backends have, with the backend's defaults. */
function addLimits(command: Command, backend: 'log' | 'webhook', { maxSize, maxWait, throttles, burst, qps }: BatchDefaults): void {
  const flag = (name: string) => `--audit-${backend}-${name}`;
  const number = (name: string, text: string, byDefault: number) =>
    command.addOption(new Option(`${flag(name)} <number>`, text).default(byDefault).argParser(Number));
  const choice = (name: string, text: string, byDefault: boolean) =>
    command.addOption(new Option(`${flag(name)} [boolean]`, text).default(byDefault).preset(true).argParser(parseBoolean));
  number('batch-buffer-size', 'with the mode batch: events that wait at most; more are dropped', 10_000);
  number('batch-max-size', 'events of a batch, at most', maxSize);
  command.addOption(
    new Option(`${flag('batch-max-wait')} <duration>`, 'how long a batch waits that is not full')
      .default(...maxWait)
      .argParser(parseDuration),
  );
  choice('batch-throttle-enable', 'whether batches are limited in number', throttles);
  number('batch-throttle-qps', 'batches a second, on average', qps);
  number('batch-throttle-burst', 'batches at once after a pause', burst);
  choice('truncate-enabled', 'whether events and batches are limited in size', false);
  number('truncate-max-event-size', 'bytes: larger events lose their objects, and are left out if that is not enough', 102_400);
  number('truncate-max-batch-size', 'bytes: larger batches are split', 10_485_760);
  command.addOption(new Option(`${flag('version')} <version>`, 'of the events').choices(['audit.k8s.io/v1']).default('audit.k8s.io/v1'));
}
