import { compileCEL, type Program } from '../../cel/compile-cel.ts';
import type { Environment } from '../../cel/environment.ts';
import { createKubernetesEnvironment } from '../../cel/kubernetes-environment.ts';
import { authorizerLibrary, authorizerType, resourceCheckType } from '../../cel/libraries/authorizer.ts';
import { type CELType, dynType, equalTypes, type Field, listType, mapType } from '../../cel/types/types.ts';
import { jsonPatchLibrary, resolvePatchType } from './patch-types.ts';
import { namespaceType, requestType } from './request-types.ts';

/** The variables that an expression may use besides object, oldObject, request and namespaceObject. */
export interface ExpressionScope {
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
  /** Whether Object{...} and JSONPatch{...} can be made. */
  readonly hasPatchTypes?: boolean;
  /** The policy's variables and their types. Absent: there is no variable `variables`. */
  readonly variables?: VariableTypes;
}

/** The types of a policy's variables. A variable sees those that were declared before it. */
export interface VariableTypes {
  readonly fields: Map<string, Field>;
  /** Environments with these variables, made when they are needed. */
  readonly environments: Map<string, Environment>;
}

export function createVariableTypes(): VariableTypes {
  return { fields: new Map(), environments: new Map() };
}

/** The variables whose type is known in an environment for type checking only; dyn otherwise. */
export interface KnownTypes {
  readonly object?: CELType;
  readonly params?: CELType;
}

export type CompiledExpression =
  | { readonly ok: true; readonly expression: string; readonly program: Program }
  /** `error` begins as Kubernetes' message does: `compilation failed: ...` or `must evaluate to ...`. */
  | { readonly ok: false; readonly expression: string; readonly error: string };

/** Makes the environment of admission expressions. */
export function createAdmissionEnvironment(scope: ExpressionScope, known: KnownTypes = {}): Environment {
  const { hasParams, hasAuthorizer, hasPatchTypes, variables } = scope;
  const object = known.object ?? dynType;
  return createKubernetesEnvironment(
    {
      object,
      oldObject: object,
      request: requestType,
      namespaceObject: namespaceType,
      ...(hasParams ? { params: known.params ?? dynType } : {}),
      ...(hasAuthorizer ? { authorizer: authorizerType, 'authorizer.requestResource': resourceCheckType } : {}),
      ...(variables
        ? { variables: { kind: 'object', name: 'kubernetes.variables', params: [], fields: () => variables.fields } as const }
        : {}),
    },
    {
      libraries: [authorizerLibrary, ...(hasPatchTypes ? [jsonPatchLibrary] : [])],
      ...(hasPatchTypes ? { resolveType: resolvePatchType } : {}),
    },
  );
}

const shared = new Map<string, Environment>();

function environmentOf(scope: ExpressionScope): Environment {
  const key = JSON.stringify([scope.hasParams, scope.hasAuthorizer, scope.hasPatchTypes ?? false]);
  const kept = scope.variables?.environments ?? shared;
  let environment = kept.get(key);
  if (environment === undefined) kept.set(key, (environment = createAdmissionEnvironment(scope)));
  return environment;
}

/**
 * Compiles an expression of admission.
 * @param results the types that it may evaluate to; undefined: any
 */
export function compileExpression(expression: string, scope: ExpressionScope, results: readonly CELType[] | undefined): CompiledExpression {
  const compiled = compileCEL(expression, environmentOf(scope));
  if (!compiled.ok) return { ok: false, expression, error: `compilation failed: ${compiled.message}` };
  const { program } = compiled;
  const { outputType } = program;
  if (results === undefined || results.some((type) => equalTypes(type, outputType))) return { ok: true, expression, program };
  const [only] = results;
  const wanted = only !== undefined && results.length === 1 ? formatGoType(only) : `one of [${results.map(formatGoType).join(' ')}]`;
  return { ok: false, expression, error: `must evaluate to ${wanted} but got ${formatGoType(outputType)}` };
}

/** The name of a type as cel-go prints it outside of its own messages. */
function formatGoType({ name, params }: CELType): string {
  return params.length === 0 ? name : `${name}(${params.map(formatGoType).join(', ')})`;
}

/** Compiles a variable and declares it, with the type dyn when it does not compile. */
export function compileVariable(name: string, expression: string, scope: ExpressionScope): CompiledExpression {
  const compiled = compileExpression(expression, scope, undefined);
  declareVariable(scope, name, compiled.ok ? compiled.program.outputType : dynType);
  return compiled;
}

export function declareVariable({ variables }: ExpressionScope, name: string, type: CELType): void {
  variables?.fields.set(name, { type: typeOfVariable(type) });
}

const keptKinds: ReadonlySet<CELType['kind']> = new Set([
  ...(['any', 'bool', 'bytes', 'double', 'duration', 'int', 'null', 'string', 'timestamp', 'uint'] as const),
]);

/** The type that others see of a variable: scalars, lists and maps keep theirs, the rest is dyn. */
function typeOfVariable(type: CELType): CELType {
  const [first = dynType, second = dynType] = type.params;
  if (type.kind === 'list') return listType(typeOfVariable(first));
  if (type.kind === 'map') return mapType(typeOfVariable(first), typeOfVariable(second));
  return keptKinds.has(type.kind) ? type : dynType;
}
