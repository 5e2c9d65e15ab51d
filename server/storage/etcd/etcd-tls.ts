/** PEM. */
export interface EtcdTLS {
  readonly certificateAuthority: Uint8Array;
  /** The client's certificate, if etcd demands one. */
  readonly certificate?: Uint8Array;
  readonly key?: Uint8Array;
}
