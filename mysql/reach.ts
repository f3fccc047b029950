/** Whether a server takes connections at all, from here. */

/**
 * Opens a connection to a server and closes it at once. False when it is refused, unreachable or silent
 * for `deadlineMs`. The server counts it among the aborted connections of this host (max_connect_errors),
 * so it is nothing to be done all the time.
 */
export async function takesConnections(
  server: { readonly host: string; readonly port: number },
  deadlineMs: number,
): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(deadlineMs);
    using connection = await Deno.connect({ hostname: server.host, port: server.port, signal });
    void connection;
    return true;
  } catch {
    // Refused, unreachable or silent: all the same here.
    return false;
  }
}
