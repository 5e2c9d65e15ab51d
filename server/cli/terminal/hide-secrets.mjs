// Plain JavaScript: bootstrap.mjs uses it too, before anything is installed.

const secretFlags = ['--token'];

/** The command line with `***` in place of what nobody but root is to read. */
export function withoutSecrets(argv) {
  return argv.map((argument, index) => {
    if (secretFlags.includes(argv[index - 1])) return '***';
    const flag = secretFlags.find((one) => argument.startsWith(`${one}=`));
    return flag === undefined ? argument : `${flag}=***`;
  });
}

/** Makes /proc/<pid>/cmdline, which everybody may read, show the command line without secrets. */
export function hideSecrets(argv) {
  const shown = withoutSecrets(argv);
  if (shown.every((argument, index) => argument === argv[index])) return;
  // As it was called: argv names the program by the path that it is found at in the end, and not node's own options.
  process.title = [process.argv0, ...process.execArgv, ...shown.slice(1)].join(' ');
}

/** Splits off a token: it goes to the child by its environment, which its user alone may read. */
export function takeToken(argv) {
  const kept = [];
  let token;
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at];
    if (argument === '--token') token = argv[++at];
    else if (argument.startsWith('--token=')) token = argument.slice('--token='.length);
    else kept.push(argument);
  }
  return { kept, token };
}
