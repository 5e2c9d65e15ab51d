import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { formatIP, parseIP } from '../../api/base/ip-address.ts';
import { badRequest } from '../../api/meta/status-errors.ts';

const local = new BlockList();
local.addSubnet('127.0.0.0', 8, 'ipv4');
local.addSubnet('169.254.0.0', 16, 'ipv4');
local.addSubnet('224.0.0.0', 24, 'ipv4');
local.addAddress('0.0.0.0', 'ipv4');
local.addAddress('::1', 'ipv6');
local.addAddress('::', 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');
local.addSubnet('ff02::', 16, 'ipv6');

interface AddressRules {
  /** Refuses loopback and link-local addresses. */
  readonly refuseLocal?: boolean | undefined;
  /** Further addresses that are refused. */
  readonly isRefused?: ((address: string) => boolean) | undefined;
}

/** A check that throws for addresses that a target must not have; undefined where it may have any. */
export function addressCheck({ refuseLocal = false, isRefused }: AddressRules): ((address: string) => void) | undefined {
  if (!refuseLocal && !isRefused) return undefined;
  return (address) => {
    const ip = parseIP(address);
    // An address with a zone belongs to this machine only, or its zone is ignored and the address differs from the one given.
    if (!ip && isIP(address) !== 0) throw badRequest('address not allowed');
    const plain = ip ? formatIP(ip) : address;
    const isLocal = refuseLocal && local.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
    if (isLocal || isRefused?.(plain)) throw badRequest('address not allowed');
  };
}

/** Resolves a name once, at the moment of connecting: a name cannot change its mind in between. */
export const checkedLookup =
  (check: (address: string) => void): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, options, (error, address, family) => {
      if (error) return callback(error, address, family);
      try {
        for (const one of typeof address === 'string' ? [address] : (address as { address: string }[]).map((entry) => entry.address))
          check(one);
      } catch (refusal) {
        return callback(refusal as Error, address, family);
      }
      callback(null, address, family);
    });
  };
