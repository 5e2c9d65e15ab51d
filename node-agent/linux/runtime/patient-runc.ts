import { chmod, writeFile } from 'node:fs/promises';
import { runProgram } from '../processes/run-program.ts';

/**
 * The text of a program that is runc, but for one command, which it tries for a few seconds. A containerd that starts asks
 * each shim for the processes of its container (`runc ps`) and takes any error for an answer: the shim has been forgotten by
 * a predecessor that crashed, and is killed with its healthy container (containerd's issue 13784).
 */
const text = `#!/bin/sh
# Written by kubets when it starts containerd.
case " $* " in
*" ps --format json "*) ;;
*) exec runc "$@" ;;
esac
tries=10
while :; do
  processes=$(runc "$@" 2>&1)
  status=$?
  tries=$((tries - 1))
  case "$status $tries $processes" in
  "0 "* | *" 0 "* | *"does not exist"*) break ;;
  esac
  sleep 0.3
done
printf '%s\\n' "$processes"
exit $status
`;

/**
 * Writes the program and answers its path, by which shims know it for as long as they live; undefined where programs in the
 * directory cannot be run, as on a file system that is mounted `noexec`.
 */
export async function writePatientRunc(directory: string): Promise<string | undefined> {
  const file = `${directory}/patient-runc`;
  await writeFile(file, text);
  await chmod(file, 0o755);
  try {
    await runProgram(file, ['--version']);
    return file;
  } catch {
    return undefined;
  }
}
