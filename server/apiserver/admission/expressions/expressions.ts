import type { Clock } from '../../../../api/base/clock.ts';
import type { AuthorizationAnswer } from '../../../../api/cel/libraries/authorizer.ts';
import type { UserInfo } from '../../../../api/meta/user-info.ts';
import {
  type AdmissionAnswer,
  type AdmissionResults,
  type AdmissionTask,
  type AdmissionTaskOf,
  performAdmissionTask,
} from '../../../../api/semantics/admission/admission-task.ts';
import { type AdmissionInput, type CostSlice, keyOfQuestion, SliceSpent } from '../../../../api/semantics/admission/evaluate-expression.ts';
import type { Authorizer } from '../../authorization/authorizer.ts';
import { authorizeQuestion } from './authorize-question.ts';

/** The variables of expressions without the answers of an authorizer. */
export type AdmissionVariables = Omit<AdmissionInput, 'answers'>;

/** The request that expressions are evaluated for. */
interface ExpressionsRequest {
  readonly user: UserInfo;
  readonly signal: AbortSignal;
}

/** Evaluates admission tasks in another thread. */
export interface ExpressionWork {
  evaluate(task: AdmissionTask, input: AdmissionInput, asker: ExpressionsRequest): Promise<AdmissionAnswer>;
  /** Gives other work of the event loop a turn. */
  nextTurn(): Promise<void>;
}

/** Evaluates the expressions of webhooks and policies for one request. */
export interface RequestExpressions {
  evaluate<K extends keyof AdmissionResults>(
    task: AdmissionTaskOf<K>,
    variables: AdmissionVariables,
  ): AdmissionResults[K] | Promise<AdmissionResults[K]>;
}

export interface Expressions {
  /** The authorizer is asked each question once for as long as the result is used. */
  for(request: ExpressionsRequest): RequestExpressions;
}

interface ExpressionsDependencies {
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  /** Absent: everything is evaluated in this thread, however long it takes. */
  readonly work?: ExpressionWork;
}

/**
 * The cost that may be spent in one turn of the event loop: some 5 to 20 ms. Expressions that cost more are evaluated in another thread.
 */
const costOfTurn = 40_000;
/** The most authorization checks of one request. */
const maxQuestions = 100;

/** Evaluates expressions: does the authorization checks that they request, and moves long evaluations to another thread. */
export function createExpressions({ authorizer, clock, work }: ExpressionsDependencies): Expressions {
  const nowMs = () => clock.monotonicMs();
  return {
    for(request) {
      const answers = new Map<string, AuthorizationAnswer>();
      let slice: CostSlice = { left: costOfTurn };
      const here = <K extends keyof AdmissionResults>(task: AdmissionTaskOf<K>, variables: AdmissionVariables) =>
        performAdmissionTask(task, { ...variables, answers }, { slice: work ? slice : { left: Number.POSITIVE_INFINITY }, nowMs });
      /** Undefined: it takes longer than is left of the turn. */
      const attempt = <K extends keyof AdmissionResults>(task: AdmissionTaskOf<K>, variables: AdmissionVariables) => {
        try {
          return here(task, variables);
        } catch (error) {
          if (error instanceof SliceSpent) return undefined;
          throw error;
        }
      };
      const elsewhere = async <K extends keyof AdmissionResults>(task: AdmissionTaskOf<K>, variables: AdmissionVariables) => {
        await work?.nextTurn();
        slice = { left: costOfTurn };
        const answer = attempt(task, variables) ?? (await work?.evaluate(task, { ...variables, answers }, request));
        return answer as AdmissionAnswer<K>;
      };
      const finish = async <K extends keyof AdmissionResults>(
        task: AdmissionTaskOf<K>,
        variables: AdmissionVariables,
        first: AdmissionAnswer<K> | undefined,
      ) => {
        let answer = first ?? (await elsewhere(task, variables));
        while ('missing' in answer) {
          if (answers.size >= maxQuestions) throw new Error('an expression asks the authorizer too many questions');
          const { missing } = answer;
          answers.set(keyOfQuestion(missing), await authorizeQuestion(authorizer, request.user, missing, request.signal));
          answer = attempt(task, variables) ?? (await elsewhere(task, variables));
        }
        return answer.result;
      };
      return {
        evaluate(task, variables) {
          const answer = attempt(task, variables);
          return answer && 'result' in answer ? answer.result : finish(task, variables, answer);
        },
      };
    },
  };
}
