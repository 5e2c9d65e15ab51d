import { advice, type Check, orOK } from '../../check.ts';

/** Strict reverse path filtering, which drops replies that come by another interface than requests leave by. */
export const reversePath: Check = {
  name: 'ReversePathFilter',
  run({ sysctls }, { podNetwork }) {
    const strict = ['all', 'default'].map((scope) => `net.ipv4.conf.${scope}.rp_filter`).filter((setting) => sysctls[setting] === '1');
    const [first] = strict;
    const findings =
      first === undefined || podNetwork === 'external'
        ? []
        : [
            advice(
              reversePath.name,
              `${strict.join(' and ')} is 1 (strict): with several interfaces packets of Pods on other nodes may be dropped`,
              strict.map((setting) => `sysctl -w ${setting}=2`).join('\n'),
            ),
          ];
    return orOK(findings, reversePath.name, 'not strict');
  },
};
