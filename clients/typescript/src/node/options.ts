import type { Backoff } from "../backoff.js";

/** With whom to speak TLS, and as whom. */
export interface Tls {
  /** PEM of the authorities to trust. Absent: those that Node trusts. */
  readonly authorities?: string | Uint8Array;
  /** PEM of the client's certificate, with its chain. */
  readonly certificate?: string | Uint8Array;
  /** PEM of the certificate's key. */
  readonly key?: string | Uint8Array;
}

/** How a client in Node connects. */
export interface ConnectionOptions {
  /** Speaks without TLS to targets that do not say. Whoever is on the way can read everything then, the token included. */
  readonly cleartext?: boolean;
  readonly tls?: Tls;
  /** After how much silence a connection with something under way is asked for a sign of life, in ms. Absent: 30,000. */
  readonly keepaliveMs?: number;
  /** How long that sign may take, in ms. Absent: 10,000. */
  readonly keepaliveTimeoutMs?: number;
  /** Waits after a connection could not be made. Absent: from 200 ms to 5 s. */
  readonly reconnectBackoff?: Backoff;
  /** How long a message of the server may be, in bytes. Absent: 16 MiB. */
  readonly responseBytesMax?: number;
}
