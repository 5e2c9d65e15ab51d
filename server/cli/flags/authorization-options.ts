import { type Command, Option } from 'commander';
import { parseDuration, parseNames } from './parse-flags.ts';

/** The flags of kube-apiserver's authorization, by their names. */
export function addAuthorizationOptions(command: Command): Command {
  const add = (option: Option) => void command.addOption(option);
  add(
    new Option(
      '--authorization-config <path>',
      'an AuthorizationConfiguration: which authorizers decide in which order, webhooks among them; taken over when it changes. Excludes the other flags --authorization-*',
    ),
  );
  add(
    new Option(
      '--authorization-mode <modes>',
      'who decides what users may do, in this order: AlwaysAllow, AlwaysDeny, Webhook, RBAC, Node; the first that allows or denies decides (default: Node,RBAC)',
    ).argParser(parseNames),
  );
  add(
    new Option(
      '--authorization-webhook-config-file <path>',
      'a kubeconfig: the service that mode Webhook posts SubjectAccessReviews to, and who to be there',
    ),
  );
  add(
    new Option(
      '--authorization-webhook-version <version>',
      'version of these SubjectAccessReviews: v1 or v1beta1 (default: v1beta1, as of kube-apiserver)',
    ),
  );
  add(
    new Option(
      '--authorization-webhook-cache-authorized-ttl <duration>',
      'how long it is remembered that the webhook allowed something; 0: not at all (default: 5m0s)',
    ).argParser(parseDuration),
  );
  add(
    new Option(
      '--authorization-webhook-cache-unauthorized-ttl <duration>',
      'how long it is remembered that the webhook did not allow something; 0: not at all (default: 30s)',
    ).argParser(parseDuration),
  );
  return command;
}
