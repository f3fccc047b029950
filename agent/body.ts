/** Reads the body of a request or an answer with a limit on its size. Time limits come as a signal. */
import { messageOf } from "../mysql/message_of.ts";

export type BodyRead =
  | { readonly kind: "read"; readonly bytes: Uint8Array }
  | { readonly kind: "tooLarge" }
  /** The other side closed the connection, or the signal was aborted. */
  | { readonly kind: "broken"; readonly because: string };

export interface BodyLimits {
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

/** Reads to the end, or to the first byte too many. Stops reading when the signal is aborted. */
export async function readBody(
  message: Request | Response,
  { bytesMax, signal }: BodyLimits,
): Promise<BodyRead> {
  if (Number(message.headers.get("content-length") ?? "0") > bytesMax) return { kind: "tooLarge" };
  if (message.body === null) return { kind: "read", bytes: new Uint8Array() };
  const reader = message.body.getReader();
  const cancel = () => void reader.cancel().catch(ignoreClosed);
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await collect(reader, { bytesMax, signal });
  } catch (error) {
    return { kind: "broken", because: messageOf(error) };
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { bytesMax, signal }: BodyLimits,
): Promise<BodyRead> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (signal.aborted) return { kind: "broken", because: "it took too long" };
    if (done) return { kind: "read", bytes: join(parts, length) };
    length += value.length;
    if (length > bytesMax) {
      void reader.cancel().catch(ignoreClosed);
      return { kind: "tooLarge" };
    }
    parts.push(value);
  }
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A stream that cannot be canceled is closed already, and that is all that was wanted. */
function ignoreClosed(): void {}
