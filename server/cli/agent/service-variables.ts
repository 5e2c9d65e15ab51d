/**
 * The variables by which systemd addresses the main process of a service. They are not passed on to other programs: containerd and runc
 * would report their own start as that of the service (sd_notify(3)).
 */
const variables = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'FDSTORE', 'MAINPID'];

export function withoutServiceVariables(environment: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !variables.includes(name)));
}
