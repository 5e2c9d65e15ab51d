import type { IPFamily } from '../../../api/semantics/services/ip-family.ts';
import { runProgram } from '../processes/run-program.ts';
import { textOf } from './read-facts.ts';
import type { BaseChain, PacketFilterFacts, RouteFacts } from './surveyed-machine.ts';

interface ChainEntry {
  readonly chain?: {
    readonly family: string;
    readonly table: string;
    readonly name: string;
    readonly hook?: string;
    readonly policy?: string;
  };
}

/** `probe`: commands that nft and the kernel are asked to check; nothing is changed by them. Empty: they are not asked. */
export async function readPacketFilter(probe: string, signal: AbortSignal): Promise<PacketFilterFacts> {
  const [listed, legacyRules, answer] = await Promise.all([
    runProgram('nft', ['-j', 'list', 'chains'], { signal }).catch(() => ''), // no nft: another check says so
    readLegacyRules(signal),
    checkCommands(probe, signal),
  ]);
  const chains = parseChains(listed);
  const baseChains = chains.flatMap(({ family, table, name, hook, policy = 'accept' }): BaseChain[] =>
    hook === undefined ? [] : [{ family, table, name, hook, policy }],
  );
  return {
    baseChains: await Promise.all(baseChains.map((chain) => withRules(chain, chains, signal))),
    otherChains: chains.flatMap(({ family, table, name, hook }) => (hook === undefined ? [`${family} ${table} ${name}`] : [])),
    legacyRules,
    ...answer,
  };
}

/** Undefined for other texts, since other versions of programs may print anything. */
function parseJSON<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

function parseChains(listed: string): NonNullable<ChainEntry['chain']>[] {
  const { nftables = [] } = parseJSON<{ readonly nftables?: readonly ChainEntry[] }>(listed) ?? {};
  return nftables.flatMap(({ chain }) => (chain === undefined ? [] : [chain]));
}

/** Chains for users' own rules, which come before those of a program. */
const userChains = ['DOCKER-USER', 'ufw-user-forward', 'ufw-user-input'];

async function withRules(
  chain: BaseChain,
  all: readonly { readonly table: string; readonly family: string; readonly name: string }[],
  signal: AbortSignal,
) {
  if (chain.policy !== 'drop') return chain;
  const { family, table } = chain;
  const users = all.filter((other) => other.family === family && other.table === table && userChains.includes(other.name));
  const texts = [chain, ...users].map(
    ({ name }) => runProgram('nft', ['list', 'chain', family, table, name], { signal }).catch(() => ''), // gone meanwhile
  );
  return { ...chain, rules: (await Promise.all(texts)).join('\n') };
}

/** The kernel names legacy tables only where they are in use. */
async function readLegacyRules(signal: AbortSignal): Promise<string> {
  if ((await textOf('/proc/net/ip_tables_names')) === '') return '';
  return await runProgram('iptables-legacy', ['-S'], { signal }).catch(() => ''); // not installed
}

async function checkCommands(commands: string, signal: AbortSignal): Promise<Pick<PacketFilterFacts, 'takesRules' | 'problem'>> {
  const unknown = { takesRules: 'unknown', problem: '' } as const;
  if (commands === '') return unknown;
  try {
    await runProgram('nft', ['--check', '-f', '-'], { wholeInput: commands, signal });
    return { takesRules: 'yes', problem: '' };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    // No nft, or no right to ask: other checks say so.
    return signal.aborted || /ENOENT|EACCES|Operation not permitted/.test(problem) ? unknown : { takesRules: 'no', problem };
  }
}

interface RouteEntry {
  readonly dst?: string;
  readonly dev?: string;
  readonly gateway?: string;
  readonly protocol?: string;
}

/** Reads the routes of the main table, in these families. */
export async function readRoutes(families: readonly IPFamily[], signal: AbortSignal): Promise<RouteFacts[]> {
  const found = families.map(async (family) => {
    const text = await runProgram('ip', [family === 'IPv4' ? '-4' : '-6', '-json', 'route', 'show'], { signal }).catch(() => ''); // no ip, or no IPv6
    return parseJSON<RouteEntry[]>(text) ?? [];
  });
  return (await Promise.all(found)).flat().map(({ dst = 'default', dev = '', gateway, protocol = '' }) => ({
    ...{ destination: dst, device: dev, protocol },
    ...(gateway === undefined ? {} : { gateway }),
  }));
}
