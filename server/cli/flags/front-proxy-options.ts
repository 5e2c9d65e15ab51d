import { type Command, Option } from 'commander';
import { parseBoolean, parseNames } from './parse-flags.ts';

/** The flags of kube-apiserver about front proxies and aggregated API servers, by their names. */
export function addFrontProxyOptions(command: Command): Command {
  const files: readonly (readonly [string, string])[] = [
    [
      '--requestheader-client-ca-file <path>',
      'authorities of proxies that say in headers who asks, in place of the one that is made. Taken over when it changes',
    ],
    [
      '--proxy-client-cert-file <path>',
      'certificate that this server shows to aggregated API servers, in place of the one that is made. Taken over when it changes',
    ],
    ['--proxy-client-key-file <path>', 'its key'],
  ];
  const lists: readonly (readonly [string, string])[] = [
    [
      '--requestheader-allowed-names <names>',
      'common names of certificates of such proxies (default: any with --requestheader-client-ca-file, else front-proxy-client)',
    ],
    ['--requestheader-username-headers <names>', 'headers that name the user (default: X-Remote-User)'],
    ['--requestheader-uid-headers <names>', "headers with the user's uid (default: X-Remote-Uid)"],
    ['--requestheader-group-headers <names>', "headers with the user's groups (default: X-Remote-Group)"],
    ['--requestheader-extra-headers-prefix <names>', 'beginnings of headers with more about the user (default: X-Remote-Extra-)'],
  ];
  for (const [flags, description] of files) command.addOption(new Option(flags, description));
  for (const [flags, description] of lists) command.addOption(new Option(flags, description).argParser(parseNames));
  return command.addOption(
    new Option(
      '--enable-aggregator-routing [boolean]',
      'call aggregated API servers and webhooks at the endpoints of their Services; false: at the ClusterIPs, which this machine must route then',
    )
      .default(true)
      .preset(true)
      .argParser(parseBoolean),
  );
}
