import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { createNFT, type NFT } from '../../linux/nft/nft.ts';
import { createNetworkPolicies } from './network-policies.ts';
import { noSandboxes } from './testing/no-sandboxes.ts';

describe('NetworkPolicies: a stop while the first rules are written', () => {
  it('ends them, when the rules are written', async function () {
    this.timeout(20_000);
    const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };
    const informers = createInformerFactory({ client: createClient(new ObjectServer().transport), ...parts });
    const [called, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const nft: NFT = {
      ...createNFT({ run: () => Promise.resolve('') }),
      apply: () => {
        called.resolve();
        return written.promise;
      },
    };
    const policies = createNetworkPolicies({ ...parts, informers, nodeName: 'node', nft, ...noSandboxes });
    const abort = new AbortController();
    const running = [policies.run(abort.signal), informers.run(abort.signal)];
    await called.promise;
    abort.abort();
    written.resolve();
    await Promise.all(running);
  });
});
