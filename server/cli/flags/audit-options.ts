import { type Command, Option } from 'commander';

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
  return command;
}
