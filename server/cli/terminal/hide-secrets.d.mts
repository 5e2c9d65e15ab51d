export function withoutSecrets(argv: readonly string[]): string[];
export function hideSecrets(argv: readonly string[]): void;
export function takeToken(argv: readonly string[]): { readonly kept: string[]; readonly token: string | undefined };
