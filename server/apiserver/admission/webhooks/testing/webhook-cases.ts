import { answerCases } from './answer-cases.ts';
import type { WebhookCase } from './case-parts.ts';
import { conditionCases, denialCases } from './denial-cases.ts';
import { patchCases } from './patch-cases.ts';
import { shownCases } from './shown-cases.ts';

export const webhookCases: readonly WebhookCase[] = [...shownCases, ...patchCases, ...answerCases, ...denialCases, ...conditionCases];
