/** PEM. */
export interface EtcdTLS {
  readonly certificateAuthority: Uint8Array;
  /** The certificate of the client, where etcd asks for one. */
  readonly certificate?: Uint8Array;
  readonly key?: Uint8Array;
}
