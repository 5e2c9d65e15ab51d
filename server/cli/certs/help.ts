/** Texts below the flags of `kubets certs` and its commands. */

export const certs = `
The running control plane renews its own certificates, and those of the nodes of this data dir, when a tenth of their life
is left; joined nodes have theirs renewed by certificate signing requests. No command here needs a restart of anything.

Examples:
  kubets certs check                          what there is, when it expires, what is wrong
  kubets certs renew all                      new certificates by the same authority
  kubets certs rotate-ca                      new authorities; the old ones stay trusted
  kubets certs rotate-ca --finish             ... and are dropped
  kubets certs rotate-service-account-key     a new key for tokens
`;

export const check = `
Exit status: 0 if everything is valid and fits together, 1 if something has expired, expires soon, or is wrong: a key that is
not that of its certificate, a certificate of another authority, a name that is missing. Each problem comes with a remedy.

Examples:
  kubets certs check --threshold-days 60
  kubets certs check -o json | jq '.problems'
`;

export const renew = `
Each certificate gets a new key, the same subject, names and usages, and a year. Both files of a pair change together: a
process that reads them meets the old pair or the new one. The API server, the nodes of this data dir and the kubeconfigs
in it take them without a restart; connections that are open go on.

Examples:
  kubets certs renew apiserver admin
  kubets certs renew all
`;

export const rotateCA = `
Steps, each kept on disk, so that the same command goes on after an interruption:
  1  new authorities are made; the old ones sign, both are trusted: by the API server, in ConfigMap kube-root-ca.crt of every
     namespace, in cluster-info, kubeconfigs and nodes. The command waits until every node says that it trusts both.
  2  the new ones sign; all certificates are made anew, those of nodes by certificate signing requests. Certificates come with
     one by which the old authority vouches for the new one: clients that know the old one only are served as before.
  3  with --finish: the old ones are dropped. Kubeconfigs, join commands and certificates of them are void; kubeconfigs that
     kubets has written are up to date, copies elsewhere are not.

A step that would lock a node out is not taken; the node is named. --force goes on after --timeout all the same; such a node
has to join again. --rollback leads back from 1 and 2. With --drop-after the control plane takes step 3 by itself, if nothing
uses the old authority then.

Examples:
  kubets certs rotate-ca
  kubets certs rotate-ca --status
  kubets certs rotate-ca --finish
  kubets certs rotate-ca --authority front-proxy-ca --drop-after 24h
`;

export const rotateKey = `
The new key signs tokens from now on, and both verify. Nodes renew the tokens of their Pods within an hour; tokens in Secrets
and those of 'kubectl create token' stay by the key that signed them. --finish refuses while such Secrets are there, and in the
first hour; with --force their tokens are void.
`;
