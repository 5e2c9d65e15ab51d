/** The groups of nodes that reach one another, each sorted (Tarjan's strongly connected components with more than one node). */
export function findCycles(edges: ReadonlyMap<string, ReadonlySet<string>>): readonly string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const visit = (node: string): number => {
    const number = order.size;
    order.set(node, number);
    open.push(node);
    let low = number;
    for (const next of edges.get(node) ?? []) {
      const seen = order.get(next);
      if (seen === undefined) low = Math.min(low, visit(next));
      else if (open.includes(next)) low = Math.min(low, lowest.get(next) ?? seen);
      lowest.set(node, low);
    }
    lowest.set(node, low);
    if (low !== number) return low;
    const members = open.splice(open.indexOf(node));
    if (members.length > 1) found.push(members.toSorted());
    return low;
  };
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return found;
}
