/** The options of a request as admission shows them, without kind and apiVersion: fields of CreateOptions, UpdateOptions or DeleteOptions. */
export type OperationOptions = Readonly<Record<string, unknown>>;

/** The options of a create, update or patch. A patch is shown as the create or update that it becomes, without `force`. */
export function operationOptionsOf(query: URLSearchParams): OperationOptions {
  const dryRun = query.getAll('dryRun');
  const [fieldManager, fieldValidation] = [query.get('fieldManager'), query.get('fieldValidation')];
  return {
    ...(dryRun.length === 0 ? {} : { dryRun }),
    ...(fieldManager ? { fieldManager } : {}),
    ...(fieldValidation ? { fieldValidation } : {}),
  };
}
