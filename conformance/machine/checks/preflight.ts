import { checkoutFolder } from '../image/ensure-image.ts';
import type { CheckContext, CheckTopic } from './check.ts';
import { expectEqual, expectMatch, expectThat } from '../guest/expect.ts';

export const preflight: CheckTopic = {
  topic: 'preflight',
  prepare: { name: 'the checkout is prepared as for any command of it', run: prepareCheckout },
  checks: [
    { name: '`kubets check-machine` finds nothing that keeps a stock machine from being a node', run: stockMachinePasses },
    { name: '`kubets check-machine` names a port in use and what to do, and fails', run: portInUseFails },
  ],
};

async function prepareCheckout({ machine, seconds }: CheckContext): Promise<string> {
  await machine.succeed(`cd ${checkoutFolder} && node server/cli/bootstrap.mjs prepare`, { timeoutSeconds: seconds(120) });
  return 'node server/cli/bootstrap.mjs prepare';
}

async function stockMachinePasses({ cluster, seconds }: CheckContext): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubets('check-machine', { timeoutSeconds: seconds(60) });
  expectEqual(`the exit code (${stdout}${stderr})`, code, 0);
  expectThat(stdout.trim() !== '', 'it says nothing');
  return stdout.trim().split('\n').at(-1) ?? '';
}

async function portInUseFails({ cluster, machine, seconds }: CheckContext): Promise<string> {
  // systemd itself listens, for a program that would be started by the first connection.
  await machine.succeed('systemd-run -q --unit=port-in-use --socket-property=ListenStream=10250 --remain-after-exit /bin/true');
  try {
    const { code, stdout, stderr } = await cluster.kubets('check-machine', { timeoutSeconds: seconds(60) });
    expectThat(code !== 0, `the exit code is 0: ${stdout}${stderr}`);
    expectMatch('what it says', stdout + stderr, /10250/);
    return (
      `${stdout}${stderr}`
        .split('\n')
        .find((line) => line.includes('10250'))
        ?.trim() ?? ''
    );
  } finally {
    await machine.succeed('systemctl stop port-in-use.socket || true');
  }
}
