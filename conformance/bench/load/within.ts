/** The result of the work, or 'late' where it takes longer. It goes on, but keeps no process alive by being waited for. */
export function within<T>(work: Promise<T>, seconds: number): Promise<T | 'late'> {
  const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), seconds * 1000).unref());
  return Promise.race([work, late]);
}
