export interface FileOwner {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}
