import type { ErrorCode } from "../../protocol/mod.ts";

/** An IPv4 address as a URL writes it, or an IPv6 one in its brackets. */
const IP_LITERAL = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\])$/;
const PORT = /:\d*$/;
const SCHEME_END = "://";

/**
 * Keeps web pages away from the admin plane (SPEC section 13), which an operator's browser may well
 * reach: no page's request is without `Origin` where it could do harm, save from a page whose own
 * name was made to resolve to this node, and then `Host` is that name.
 *
 * @param hostNames names that operators call this node by, in lower case
 * @returns why the request is turned away; undefined where it is let in
 */
export function intrusion(request: Request, hostNames: readonly string[]): ErrorCode | undefined {
  if (request.headers.has("origin")) return "origin_forbidden";
  const host = hostOf(request);
  const isKnown = host === "localhost" || IP_LITERAL.test(host) || hostNames.includes(host);
  return isKnown ? undefined : "host_forbidden";
}

/** The host that was asked for, without its port; over HTTP/2 it stands in the URL alone. */
function hostOf({ headers, url }: Request): string {
  const start = url.indexOf(SCHEME_END) + SCHEME_END.length;
  const authority = headers.get("host") ?? url.slice(start, url.indexOf("/", start));
  return authority.replace(PORT, "").toLowerCase();
}
