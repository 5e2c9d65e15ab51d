/** The result of the work, or 'late' if it takes longer. The work continues, but does not keep the process alive. */
export function within<T>(work: Promise<T>, seconds: number): Promise<T | 'late'> {
  const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), seconds * 1000).unref());
  return Promise.race([work, late]);
}
