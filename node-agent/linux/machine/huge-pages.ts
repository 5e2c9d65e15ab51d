import { readdir, readFile } from 'node:fs/promises';

/** The huge pages of one size that the machine has reserved. */
export interface HugePages {
  readonly sizeBytes: number;
  readonly count: number;
}

const folder = '/sys/kernel/mm/hugepages';

/** Huge pages of every size that the processor has, the smallest first; none where the kernel has no huge pages. */
export async function readHugePages(): Promise<HugePages[]> {
  const names = await readdir(folder).catch(() => []); // not in this kernel
  const found = await Promise.all(
    names.map(async (name) => {
      const [, kibibytes] = /^hugepages-(\d+)kB$/.exec(name) ?? [];
      const count = Number(await readFile(`${folder}/${name}/nr_hugepages`, 'utf8'));
      return { sizeBytes: Number(kibibytes) * 1024, count };
    }),
  );
  return found.filter(({ sizeBytes }) => sizeBytes > 0).sort((a, b) => a.sizeBytes - b.sizeBytes);
}

/** A size as the names of files in hugetlb cgroups have it: 2MB, 1GB. */
export function hugePageFileSize(sizeBytes: number): string {
  const units = ['KB', 'MB', 'GB'];
  let [amount, unit] = [sizeBytes / 1024, 0];
  while (amount >= 1024 && unit < units.length - 1) [amount, unit] = [amount / 1024, unit + 1];
  return `${amount}${units[unit]}`;
}
