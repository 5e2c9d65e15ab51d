import { advice, type Check, type Finding, orOK, warning } from '../../check.ts';

const leastWatchers = 128;
const goodWatchers = 512;
const leastWatches = 65_536;
const leastFiles = 4096;
const goodFiles = 65_536;

/** Limits of the kernel and of this process that many Pods come up against. */
export const limits: Check = {
  name: 'Limits',
  run({ sysctls, openFiles }) {
    const { name } = limits;
    const findings: Finding[] = [];
    const watchers = Number(sysctls['fs.inotify.max_user_instances'] ?? Number.POSITIVE_INFINITY);
    const watches = Number(sysctls['fs.inotify.max_user_watches'] ?? Number.POSITIVE_INFINITY);
    const instances = `fs.inotify.max_user_instances is ${watchers}: with many Pods programs end with "too many open files"`;
    const raise = `sysctl -w fs.inotify.max_user_instances=${goodWatchers * 16}, and keep it in /etc/sysctl.d/`;
    if (watchers < leastWatchers) findings.push(warning(name, instances, raise));
    else if (watchers < goodWatchers) findings.push(advice(name, instances, raise));
    if (watches < leastWatches)
      findings.push(
        advice(
          name,
          `fs.inotify.max_user_watches is ${watches}`,
          'sysctl -w fs.inotify.max_user_watches=524288, and keep it in /etc/sysctl.d/',
        ),
      );
    const files = `a process may have ${openFiles} files open`;
    if (openFiles < leastFiles) findings.push(warning(name, files, `ulimit -n ${goodFiles} before the start, or LimitNOFILE= of the unit`));
    return orOK(findings, name, `${watchers} inotify instances, ${openFiles} files`);
  },
};
