import { quantityOf, quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { formatQuantity } from '../../../api/base/quantity/quantity.ts';
import { isHugePagesResource } from '../../../api/semantics/pods/resource-list.ts';
import { hugePageFileSize } from '../../linux/machine/huge-pages.ts';

/** The resource of huge pages of a size: hugepages-2Mi. */
export function hugePagesResource(sizeBytes: number): string {
  return `hugepages-${formatQuantity(quantityOf(sizeBytes, 'BinarySI'))}`;
}

/** The limits of huge pages of each size in bytes, by the sizes' names in cgroups: 0 for those that are not requested. */
export function hugePageLimits(sizes: readonly number[], limits: Readonly<Record<string, string>> = {}): Record<string, number> {
  return Object.fromEntries(sizes.map((size) => [hugePageFileSize(size), quantityValue(limits[hugePagesResource(size)] ?? '0')]));
}

/**
 * The page size of a volume with medium `HugePages` or `HugePages-2Mi`: the named one, or the only size that the Pod requests. Throws if
 * the Pod does not request it.
 */
export function volumePageSize(medium: string, requested: ReadonlyMap<string, unknown>): number {
  const sizes = [...requested.keys()].filter(isHugePagesResource).map((name) => quantityValue(name.slice('hugepages-'.length)));
  if (medium === 'HugePages') {
    const [size, ...others] = sizes;
    if (size === undefined) throw new Error(`hugePages storage requested, but there is no resource request for huge pages`);
    if (others.length > 0)
      throw new Error('medium HugePages can be used only if container requests a single huge page size: name it, HugePages-<size>');
    return size;
  }
  const size = quantityValue(medium.slice('HugePages-'.length));
  if (!sizes.includes(size)) throw new Error(`medium ${medium} is not among the huge pages that the Pod requests`);
  return size;
}
