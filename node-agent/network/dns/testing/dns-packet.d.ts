/** The part of the package that the tests use; it brings no types. */
declare module 'dns-packet' {
  export interface PacketQuestion {
    name: string;
    type: string;
    class?: string;
  }
  export interface PacketRecord {
    name: string;
    type: string;
    ttl?: number;
    data?: unknown;
    udpPayloadSize?: number;
    flags?: number;
  }
  export interface Packet {
    id?: number;
    type?: 'query' | 'response';
    flags?: number;
    rcode?: string;
    flag_aa?: boolean;
    flag_tc?: boolean;
    flag_rd?: boolean;
    flag_ra?: boolean;
    questions?: PacketQuestion[];
    answers?: PacketRecord[];
    authorities?: PacketRecord[];
    additionals?: PacketRecord[];
  }
  export function encode(packet: Packet): Buffer;
  export function decode(bytes: Uint8Array): Packet;
  const dnsPacket: { encode: typeof encode; decode: typeof decode; RECURSION_DESIRED: number; DNSSEC_OK: number };
  export default dnsPacket;
}
