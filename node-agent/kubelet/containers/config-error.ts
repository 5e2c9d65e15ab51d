/** The container cannot be described yet, e.g. because a ConfigMap is missing; it waits with reason CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ContainerConfigError';
  }
}
