import { type Check, error, ok } from '../../check.ts';

/** Whether nft and the kernel take the rules of Services, NetworkPolicies and DNS: they were asked, and changed nothing. */
export const packetFilter: Check = {
  name: 'NFTables',
  run({ filter: { takesRules, problem } }) {
    const { name } = packetFilter;
    if (takesRules === 'yes') return [ok(name, 'rules of Services, NetworkPolicies and DNS are understood')];
    if (takesRules === 'unknown') return [ok(name, 'not known: nft did not answer')];
    const [first = ''] = problem.split('\n');
    return [
      error(
        name,
        `nft and the kernel do not take the rules of Services: ${first}`,
        'nft 1.0.7 or newer, and a kernel with CONFIG_NF_TABLES and its expressions (NFT_NUMGEN, NFT_NAT, NFT_MASQ, NFT_REJECT, NFT_SOCKET, NFT_CT)',
      ),
    ];
  },
};
