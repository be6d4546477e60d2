import type { ConnectionOptions } from "./options.js";

/** A server, or several with one name. */
export interface Target {
  /** Such as `https://chatbridge.example.com:50051`. */
  readonly origin: string;
  /** Name or address, without brackets. */
  readonly host: string;
}

/** Reads a target: a URL, `host:port` or `dns:///host:port`. */
export function readTarget(text: string, options: Pick<ConnectionOptions, "cleartext" | "tls">): Target {
  const scheme = options.cleartext ? "http" : "https";
  const place = /^(?:dns:(?:\/\/\/)?)?(?<place>[^/]+)$/.exec(text)?.groups?.["place"];
  let url: URL;
  try {
    url = new URL(place === undefined ? text : `${scheme}://${place}`);
  } catch {
    throw new TypeError(`${JSON.stringify(text)} is no target: write https://host:port, http://host:port or host:port`);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new TypeError(
      `a target cannot begin with ${url.protocol}: write https://host:port, http://host:port or host:port`,
    );
  }
  if (url.protocol === "http:" && options.tls) {
    throw new TypeError("TLS was asked for, and the target is one without");
  }
  return { origin: url.origin, host: url.hostname.replace(/^\[|\]$/g, "") };
}
