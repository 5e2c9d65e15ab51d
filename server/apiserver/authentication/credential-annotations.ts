import type { UserInfo } from '../../../api/meta/user-info.ts';

const annotations = new WeakMap<UserInfo, Readonly<Record<string, string>>>();

/** Notes annotations for the audit events of requests by a user who came in with these credentials. */
export function annotateCredentials<T extends UserInfo>(user: T, noted: Readonly<Record<string, string>>): T {
  annotations.set(user, noted);
  return user;
}

export function credentialAnnotations(user: UserInfo): Readonly<Record<string, string>> | undefined {
  return annotations.get(user);
}
