/** `host:port` texts: the name of a node, and where it listens. IPv6 hosts stand in brackets. */
export interface Endpoint {
  /** Without brackets, as a socket wants it. */
  readonly host: string;
  readonly port: number;
}

/** Takes `host:port` apart; null when the text is not of that shape. */
export function parseEndpoint(text: string): Endpoint | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s/@]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) return null;
  if (match?.[1] !== undefined) return host.includes(":") ? { host, port } : null;
  return isAddressOrName(host) ? { host, port } : null;
}

/** As `host:port`; an IPv6 host in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Addresses that mean "everywhere": fit for listening, but no name for a node. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "*" || /^[0:]*$/.test(host);
}

/** True for an address of this machine that never leaves it. */
export function isLoopback(address: string): boolean {
  const plain = unmapped(address);
  return plain === "::1" || plain === "localhost" || /^127\.\d+\.\d+\.\d+$/.test(plain);
}

/** An IPv4 peer of an IPv6 socket shows as `::ffff:10.0.0.1`; this gives `10.0.0.1`. */
export function unmapped(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
}

/** Whether `text` is an IPv4 address in dotted form. */
export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

/** Whether `text` has the shape of an IPv6 address; the kernel has the last word. */
export function isIpv6(text: string): boolean {
  if (!/^[0-9a-f:]+(?:\d+\.\d+\.\d+\.\d+)?$/i.test(text) || text.includes(":::")) return false;
  const halves = text.split("::");
  const groups = text.split(":").filter((group) => group !== "").length;
  return halves.length === 2 ? groups < 8 : halves.length === 1 && groups === 8;
}

function isAddressOrName(host: string): boolean {
  if (/^[\d.]+$/.test(host)) return isIpv4(host);
  return host === "*" || /^[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?$/i.test(host);
}
