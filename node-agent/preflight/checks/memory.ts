import { advice, type Check, error, type Finding, orOK, warning } from '../check.ts';

const mebibyte = 2 ** 20;
/** Memory that the parts take by themselves, with room for Pods. */
const leastMemory = { node: 256 * mebibyte, controlPlane: 384 * mebibyte };
const goodMemory = { node: 512 * mebibyte, controlPlane: 1024 * mebibyte };

/** Memory and processors. */
export const memory: Check = {
  name: 'Mem',
  run({ memoryBytes, cpus }, { hasControlPlane }) {
    const kind = hasControlPlane ? 'controlPlane' : 'node';
    const inMebibytes = (bytes: number) => `${Math.floor(bytes / mebibyte)} MiB`;
    const has = `the system RAM (${inMebibytes(memoryBytes)})`;
    const remedy = 'give the machine more memory';
    const findings: Finding[] = [];
    if (memoryBytes < leastMemory[kind])
      findings.push(error('Mem', `${has} is less than the minimum ${inMebibytes(leastMemory[kind])}`, remedy));
    else if (memoryBytes < goodMemory[kind])
      findings.push(warning('Mem', `${has} leaves little for Pods; ${inMebibytes(goodMemory[kind])} are better`, remedy));
    if (cpus < 2 && hasControlPlane)
      findings.push(advice('NumCPU', 'the machine has one processor: control plane and Pods slow each other down', 'give it two'));
    return orOK(findings, 'Mem', `${inMebibytes(memoryBytes)}, ${cpus} processors`);
  },
};
