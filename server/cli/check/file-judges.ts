import type { CheckFacts, FileFacts, FileRole } from './check-facts.ts';
import { type CheckItem, fail, notApplicable, pass, type Verdict } from './check-item.ts';

interface FileControl {
  readonly id: string;
  readonly title: string;
  readonly roles: readonly FileRole[];
  /** The files of kubets that the control is about. */
  readonly why: string;
  /** Why there may be no such file. */
  readonly absent: string;
}

/** A control about permissions: no bit beside those of `max` may be set. */
export function modeControl({ id, title, roles, why, absent }: FileControl, max: number, directoryMax = 0o755): CheckItem {
  return {
    ...{ id, title },
    judge(facts) {
      const files = filesOf(facts, roles);
      if (files.length === 0) return notApplicable(absent);
      const wrong = files.filter(({ mode, isDirectory }) => (mode & ~(isDirectory ? directoryMax : max)) !== 0);
      if (wrong.length === 0) return pass(why, { evidence: shown(files) });
      const advice = wrong.map(({ path, isDirectory }) => `chmod ${(isDirectory ? directoryMax : max).toString(8)} ${path}`).join('; ');
      return fail(`${why}; ${wrong.length} of ${files.length} are more open than ${max.toString(8)}`, advice, { evidence: shown(wrong) });
    },
  };
}

/** A control about ownership: root, or the user that runs a control plane without a node. */
export function ownerControl({ id, title, roles, why, absent }: FileControl): CheckItem {
  return {
    ...{ id, title },
    judge(facts): Verdict {
      const files = filesOf(facts, roles);
      if (files.length === 0) return notApplicable(absent);
      const allowed = new Set(['root', facts.owner]);
      const wrong = files.filter(({ owner }) => !allowed.has(owner));
      if (wrong.length === 0) return pass(why, { evidence: shown(files) });
      const advice = wrong.map(({ path }) => `chown ${facts.owner}: ${path}`).join('; ');
      return fail(`${wrong.length} of ${files.length} belong to somebody else than ${facts.owner}`, advice, { evidence: shown(wrong) });
    },
  };
}

function filesOf(facts: CheckFacts, roles: readonly FileRole[]): FileFacts[] {
  return facts.files.filter(({ role }) => roles.includes(role));
}

const maxShown = 8;

function shown(files: readonly FileFacts[]): string[] {
  const lines = files.slice(0, maxShown).map(describeFile);
  return files.length > maxShown ? [...lines, `and ${files.length - maxShown} more`] : lines;
}

function describeFile({ path, mode, owner, group }: FileFacts): string {
  return `${mode.toString(8).padStart(4, '0')} ${owner}:${group} ${path}`;
}
