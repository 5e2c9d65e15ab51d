import { unfitMachineStatus } from '../startup/unfit-machine.ts';

/** The program and settings of a systemd unit of kubets. */
export interface ServicePlan {
  /** Without `.service`. */
  readonly name: string;
  readonly description: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Absolute. */
  readonly dataDirectory: string;
  /** Runs Pods: nothing of the machine can be kept from it. */
  readonly hasNode: boolean;
  /** Absolute paths that a service without a node may write, besides its data directory. */
  readonly writablePaths: readonly string[];
  /** Absolute file that explains it. */
  readonly documentation: string;
}

/**
 * An argument of a command in a unit file: in quotes, with everything escaped that systemd would expand
 * (systemd.service(5), "Command lines"; systemd.unit(5), "Specifiers").
 */
export function quoteArgument(argument: string): string {
  return quoteWord(argument).replaceAll('$', () => '$$');
}

/** A word of a setting that is no command: a dollar sign means nothing there. */
export function quoteWord(word: string): string {
  if (/\p{Cc}/u.test(word)) throw new Error(`${JSON.stringify(word)} has a control character in it, which a unit file cannot hold`);
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%');
  return /^[\w./:=,@+-]+$/.test(word) ? word : `"${escaped}"`;
}

/** The data directory of a unit file that kubets wrote; undefined if it contains none. */
export function findDataDirectory(unit: string): string | undefined {
  const word = /^RequiresMountsFor=(.+)$/m.exec(unit)?.[1];
  if (word === undefined || !word.startsWith('"')) return word;
  return word.slice(1, -1).replaceAll(/\\(.)|%%/g, (all, escaped: string | undefined) => escaped ?? all.charAt(0));
}

/** The program and arguments of a unit file that kubets wrote; undefined if it contains none. */
export function findCommand(unit: string): string[] | undefined {
  const line = /^ExecStart=(.+)$/m.exec(unit)?.[1];
  return line?.match(/"(?:\\.|[^"\\])*"|\S+/g)?.map((word, index) => {
    const plain = word.startsWith('"')
      ? word.slice(1, -1).replaceAll(/\\(.)|%%/g, (all, escaped: string | undefined) => escaped ?? all.charAt(0))
      : word;
    return index === 0 ? plain : plain.replaceAll('$$', () => '$');
  });
}

/** Ends before the network does, and before containers are killed with everything else: systemd stops in the opposite order. */
const after = [
  ...['network-online.target', 'nss-lookup.target', 'time-sync.target', 'remote-fs.target'],
  ...['dbus.service', 'systemd-logind.service'],
  // These services write firewall rules anew when they start.
  ...['nftables.service', 'firewalld.service', 'ufw.service', 'netfilter-persistent.service'],
];

/** No setting here may give the service a mount namespace, or anything that programs in containers would inherit. */
const nodeSettings = [
  '# A stop leaves Pods running: only the main process is told, and containerd is in a scope of its own.',
  'KillMode=process',
  'Delegate=yes',
  'OOMPolicy=continue',
  'LimitNOFILE=1048576',
  'LimitNPROC=infinity',
];

const controlPlaneSettings = [
  ...['KillMode=mixed', 'LimitNOFILE=1048576', 'NoNewPrivileges=yes', 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE'],
  ...['ProtectSystem=strict', 'ProtectHome=read-only', 'PrivateDevices=yes', 'ProtectKernelTunables=yes', 'ProtectKernelModules=yes'],
  ...['ProtectKernelLogs=yes', 'ProtectControlGroups=yes', 'ProtectClock=yes', 'ProtectHostname=yes', 'ProtectProc=invisible'],
  ...['RestrictNamespaces=yes', 'RestrictRealtime=yes', 'RestrictSUIDSGID=yes', 'LockPersonality=yes'],
  ...['RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK', 'SystemCallArchitectures=native', 'SystemCallFilter=@system-service'],
];

/** In the first word of a command only specifiers are replaced: a dollar sign in it needs another program in front. */
function execStart([program = '', ...args]: readonly string[]): string {
  const command = program.includes('$') ? ['/usr/bin/env', program, ...args] : [program, ...args];
  return command.map((word, index) => (index === 0 ? quoteWord(word) : quoteArgument(word))).join(' ');
}

export function renderUnit({ description, command, dataDirectory, hasNode, writablePaths, documentation }: ServicePlan): string {
  const sandbox = [
    ...controlPlaneSettings,
    `ReadWritePaths=${[dataDirectory, ...writablePaths.map((path) => `-${path}`)].map(quoteWord).join(' ')}`,
    // A private /tmp would hide a data directory below it.
    ...(isTemporary([dataDirectory, ...writablePaths]) ? [] : ['PrivateTmp=yes']),
  ];
  const lines = [
    '# Written by `kubets install`, which writes it anew. Settings of your own belong into a drop-in: systemctl edit.',
    '[Unit]',
    `Description=${description.replaceAll('%', '%%')}`,
    `Documentation=${encodeURI(`file:${documentation}`).replaceAll('%', '%%')}`,
    'Wants=network-online.target',
    `After=${after.join(' ')}${hasNode ? ' kubets-server.service' : ''}`,
    `RequiresMountsFor=${quoteWord(dataDirectory)}`,
    '# It never gives up: a cluster that cannot start today may tomorrow.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=notify',
    'NotifyAccess=all',
    `ExecStart=${execStart(command)}`,
    'Restart=always',
    'RestartSec=2',
    'RestartSteps=6',
    'RestartMaxDelaySec=60',
    '# What the machine lacks will not come by itself: see the log, then start the unit.',
    `RestartPreventExitStatus=${unfitMachineStatus}`,
    'TimeoutStartSec=300',
    '# Extended by the service itself while Pods end within the time they were given.',
    'TimeoutStopSec=150',
    'WatchdogSec=120',
    'OOMScoreAdjust=-999',
    'TasksMax=infinity',
    'UMask=0022',
    'SyslogIdentifier=kubets',
    ...(hasNode ? nodeSettings : sandbox),
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ];
  return `${lines.join('\n')}\n`;
}

function isTemporary(paths: readonly string[]): boolean {
  return paths.some((path) => /^\/(var\/)?tmp(\/|$)/.test(path));
}
