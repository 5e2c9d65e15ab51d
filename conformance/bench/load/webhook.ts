/** The messages between the bench and its webhook, a process of its own. */

export interface WebhookSettings {
  readonly key: string;
  readonly certificate: string;
}

export type WebhookMessage =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'spent'; readonly spentMs: number; readonly calls: number };
