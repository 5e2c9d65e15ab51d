import type { CheckFacts, EtcdFacts } from '../check-facts.ts';
import { type CheckItem, fail, manual, notApplicable, notJudged, pass, type Verdict, warn } from '../check-item.ts';

/** Judges a control of an etcd that kubets stores its objects in. */
const ofEtcd =
  (judge: (etcd: EtcdFacts) => Verdict) =>
  ({ etcd, settings }: CheckFacts): Verdict => {
    if (etcd) return judge(etcd);
    if (settings.source === 'unknown')
      return notJudged(
        'where objects are stored is not known without a running control plane or its service',
        'start kubets and check again',
      );
    return notApplicable('there is no etcd: the store is a part of the process, and listens nowhere');
  };

const others = (what: string, flag: string) =>
  ofEtcd(() =>
    manual(
      `${what} between members of an etcd cannot be seen by its clients`,
      `look at the command line of each member of etcd for ${flag}`,
    ),
  );

/** Section 2. */
export const etcdNode: readonly CheckItem[] = [
  {
    id: '2.1',
    title: 'etcd serves clients by TLS',
    judge: ofEtcd(({ endpoints, plain }) =>
      plain.length === 0
        ? pass('every endpoint is https', { evidence: endpoints })
        : fail(
            'objects, Secrets among them, travel without encryption',
            'give etcd --cert-file and --key-file, and kubets --storage etcd=https://… with --etcd-ca',
            {
              evidence: plain,
            },
          ),
    ),
  },
  {
    id: '2.2',
    title: 'etcd asks clients for certificates',
    judge: ofEtcd(({ open, endpoints }) =>
      open.length === 0
        ? pass('no endpoint answered a request without a client certificate', { evidence: endpoints })
        : fail(
            'whoever reaches it reads and changes every object',
            'give etcd --client-cert-auth=true, and kubets --etcd-cert and --etcd-key',
            {
              evidence: open,
            },
          ),
    ),
  },
  {
    id: '2.3',
    title: 'etcd does not make its own certificates for clients',
    judge: others('Whether the certificate for clients was made by etcd itself', '--auto-tls'),
  },
  { id: '2.4', title: 'Members of etcd talk by TLS', judge: others('Encryption', '--peer-cert-file and --peer-key-file') },
  { id: '2.5', title: 'Members of etcd ask each other for certificates', judge: others('Authentication', '--peer-client-cert-auth=true') },
  { id: '2.6', title: 'etcd does not make its own certificates for members', judge: others('Certificates', '--peer-auto-tls') },
  {
    id: '2.7',
    title: 'etcd has a certificate authority of its own',
    judge: ofEtcd(({ sharesAuthority }) => {
      if (sharesAuthority === undefined)
        return manual('kubets was given no --etcd-ca', 'see to it that no client certificate of the cluster is taken by etcd');
      return sharesAuthority
        ? warn(
            "--etcd-ca is the cluster's own authority: every client certificate of the cluster is one for etcd",
            'make an authority for etcd alone',
          )
        : pass("--etcd-ca is another authority than the cluster's");
    }),
  },
];
