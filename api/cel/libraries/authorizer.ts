import type { Library } from '../declarations.ts';
import { boolType, type CELType, objectType, stringType } from '../types/types.ts';
import { type CELValue, Failure, type OpaqueValue } from '../types/values.ts';
import { declare, member } from './declare.ts';

/** A question that an expression asks: may the user do that? */
export interface AuthorizationQuestion {
  /** The service account that is asked about; absent: the user of the request. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  /** Of a path; absent: of a resource. */
  readonly path?: string;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** The selector as the expression gives it; absent where the expression does not narrow the question. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface AuthorizationAnswer {
  readonly isAllowed: boolean;
  readonly reason: string;
  /** A failure of an authorizer; absent: none. */
  readonly error?: string;
}

/** Answers at once; undefined: the answer has to be waited for. */
export type FindAnswer = (question: AuthorizationQuestion) => AuthorizationAnswer | undefined;

/** An answer that is not there yet. It is no Failure: no expression can catch it. */
export class AnswerMissing extends Error {
  override readonly name = 'AnswerMissing';
  readonly question: AuthorizationQuestion;
  constructor(question: AuthorizationQuestion) {
    super('an authorizer has to be asked first');
    this.question = question;
  }
}

const prefix = 'kubernetes.authorization';
/** The type of the variables `authorizer` and `authorizer.requestResource`. */
export const authorizerType: CELType = objectType(`${prefix}.Authorizer`);
const pathCheckType: CELType = objectType(`${prefix}.PathCheck`);
const groupCheckType: CELType = objectType(`${prefix}.GroupCheck`);
export const resourceCheckType: CELType = objectType(`${prefix}.ResourceCheck`);
const decisionType: CELType = objectType(`${prefix}.Decision`);

type Asked = Omit<AuthorizationQuestion, 'verb'>;

/** An authorizer on its way to a question: a step of `authorizer.group('').resource('pods').namespace('x')`. */
class QuestionValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type: CELType;
  readonly asked: Asked;
  readonly find: FindAnswer;
  constructor(type: CELType, asked: Asked, find: FindAnswer) {
    this.type = type;
    this.asked = asked;
    this.find = find;
  }
  /** Two of them cannot be compared, as upstream's cannot: each is equal to itself. */
  equals(other: CELValue): boolean {
    return this === other;
  }
  with(type: CELType, more: Partial<Asked>): QuestionValue {
    return new QuestionValue(type, { ...this.asked, ...more }, this.find);
  }
}

class DecisionValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = decisionType;
  readonly answer: AuthorizationAnswer;
  constructor(answer: AuthorizationAnswer) {
    this.answer = answer;
  }
  equals(other: CELValue): boolean {
    return other instanceof DecisionValue && other.answer === this.answer;
  }
}

const nothing: Asked = { group: '', resource: '', subresource: '', namespace: '', name: '' };

/** The value of the variable `authorizer`. */
export function authorizerValue(find: FindAnswer): OpaqueValue {
  return new QuestionValue(authorizerType, nothing, find);
}

/** The value of `authorizer.requestResource`: a check of the resource that the request is about. */
export function resourceCheckValue(find: FindAnswer, resource: Omit<Asked, 'path' | 'serviceAccount'>): OpaqueValue {
  return new QuestionValue(resourceCheckType, resource, find);
}

function question(value: CELValue): QuestionValue {
  if (value instanceof QuestionValue) return value;
  throw new Failure('no such overload');
}

const step = (id: string, from: CELType, to: CELType, more: (text: string) => Partial<Asked>) =>
  member(id, [from, stringType], to, (value, text) => question(value).with(to, more(String(text))));

function check(value: CELValue, verb: CELValue): DecisionValue {
  const { asked, find } = question(value);
  const complete: AuthorizationQuestion = { ...asked, verb: String(verb) };
  const answer = find(complete);
  if (answer === undefined) throw new AnswerMissing(complete);
  return new DecisionValue(answer);
}

function answerOf(value: CELValue): AuthorizationAnswer {
  if (value instanceof DecisionValue) return value.answer;
  throw new Failure('no such overload');
}

const path = (text: string): Partial<Asked> => {
  if (text.trim() === '') throw new Failure('path must not be empty');
  return { path: text };
};

const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const subdomainPattern = new RegExp(`^${label}(?:\\.${label})*$`);
const labelPattern = new RegExp(`^${label}$`);

function serviceAccount(namespace: string, name: string): { readonly namespace: string; readonly name: string } {
  if (name.length > 253 || !subdomainPattern.test(name)) throw new Failure('Invalid service account name');
  if (namespace.length > 63 || !labelPattern.test(namespace)) throw new Failure('Invalid service account namespace');
  return { namespace, name };
}

/** Upstream's functions of authorization checks. Whoever evaluates gives the variables `authorizer` their values. */
export const authorizerLibrary: Library = {
  types: [authorizerType, pathCheckType, groupCheckType, resourceCheckType, decisionType],
  functions: [
    declare('path', step('authorizer_path', authorizerType, pathCheckType, path)),
    declare(
      'group',
      step('authorizer_group', authorizerType, groupCheckType, (group) => ({ group })),
    ),
    declare(
      'serviceAccount',
      member('authorizer_serviceaccount', [authorizerType, stringType, stringType], authorizerType, (value, namespace, name) =>
        question(value).with(authorizerType, { serviceAccount: serviceAccount(String(namespace), String(name)) }),
      ),
    ),
    declare(
      'resource',
      step('groupcheck_resource', groupCheckType, resourceCheckType, (resource) => ({ resource })),
    ),
    declare(
      'subresource',
      step('resourcecheck_subresource', resourceCheckType, resourceCheckType, (subresource) => ({ subresource })),
    ),
    declare(
      'namespace',
      step('resourcecheck_namespace', resourceCheckType, resourceCheckType, (namespace) => ({ namespace })),
    ),
    declare(
      'name',
      step('resourcecheck_name', resourceCheckType, resourceCheckType, (name) => ({ name })),
    ),
    declare(
      'fieldSelector',
      step('authorizer_fieldselector', resourceCheckType, resourceCheckType, (text) => ({ fieldSelector: text })),
    ),
    declare(
      'labelSelector',
      step('authorizer_labelselector', resourceCheckType, resourceCheckType, (text) => ({ labelSelector: text })),
    ),
    declare(
      'check',
      member('pathcheck_check', [pathCheckType, stringType], decisionType, check),
      member('resourcecheck_check', [resourceCheckType, stringType], decisionType, check),
    ),
    declare(
      'errored',
      member('decision_errored', [decisionType], boolType, (value) => answerOf(value).error !== undefined),
    ),
    declare(
      'error',
      member('decision_error', [decisionType], stringType, (value) => answerOf(value).error ?? ''),
    ),
    declare(
      'allowed',
      member('decision_allowed', [decisionType], boolType, (value) => answerOf(value).isAllowed),
    ),
    declare(
      'reason',
      member('decision_reason', [decisionType], stringType, (value) => answerOf(value).reason),
    ),
  ],
};

/** The most authorization checks of one evaluation. The cost limit ends it earlier: each check costs 350,000. */
const maxQuestions = 100;

/**
 * Evaluates with an authorizer that has to be waited for: a question without an answer ends the evaluation, is asked, and
 * the evaluation begins anew with all answers so far. The same question is asked once.
 */
export async function evaluateWithAnswers<T>(
  evaluate: (find: FindAnswer) => T,
  ask: (question: AuthorizationQuestion) => Promise<AuthorizationAnswer>,
): Promise<T> {
  const answers = new Map<string, AuthorizationAnswer>();
  const keyOf = (asked: AuthorizationQuestion) => JSON.stringify(Object.entries(asked).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  for (;;) {
    try {
      return evaluate((asked) => answers.get(keyOf(asked)));
    } catch (error) {
      if (!(error instanceof AnswerMissing) || answers.size >= maxQuestions) throw error;
      answers.set(keyOf(error.question), await ask(error.question));
    }
  }
}
