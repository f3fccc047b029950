/**
 * How two agents prove to each other that they know the cluster's secret, without a wall clock.
 *
 * A request carries a fresh nonce, the boot id of its receiver and the receiver's own monotonic
 * time, as learned from the receiver's last answer, all under an HMAC-SHA256 with method, path and
 * body. The receiver accepts a nonce once, and only near its own time, so it needs to remember
 * nonces only for a short while. A caller that does not know the receiver's time gets a challenge
 * with it and calls again. Answers are signed over the nonce, so nobody else can answer.
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "./secret.ts";

/** A request may be this old when it arrives, on the receiver's clock. */
export const REPLAY_WINDOW_MS = 30_000;

/** Time learned from an answer lags behind by the way back, so it is hardly ever ahead. */
const AHEAD_MS_MAX = 5_000;

/** Only requests with a valid signature are remembered, so a stranger cannot fill this up. */
const NONCES_MAX = 65_536;

/** What a request claims about itself. */
export interface Stamp {
  /** 32 hexadecimal digits, drawn for this request. */
  readonly nonce: string;
  /** Boot id of the receiver, or "" when the caller does not know it yet. */
  readonly boot: string;
  /** The receiver's monotonic milliseconds, or 0 when unknown. */
  readonly timeMs: number;
}

export interface SignedRequest extends Stamp {
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
}

export interface SignedAnswer {
  /** Of the request that is answered. */
  readonly nonce: string;
  readonly status: number;
  /** Boot id and time of the node that answers. */
  readonly boot: string;
  readonly timeMs: number;
  readonly body: Uint8Array;
}

export const HEADER_NONCE = "xenon-nonce";
export const HEADER_BOOT = "xenon-boot";
export const HEADER_TIME = "xenon-time";
export const HEADER_MAC = "xenon-mac";

/** The proof that a request, as it is, comes from somebody who knows the secret: HMAC in hex. */
export function signRequest(secret: Secret, request: SignedRequest): string {
  const { method, path, nonce, boot, timeMs, body } = request;
  return mac(secret, ["xenon request 1", method, path, nonce, boot, timeMs, digest(body)]);
}

/** The first word differs from a request's, so that an answer never passes for a request. */
export function signAnswer(secret: Secret, answer: SignedAnswer): string {
  const { nonce, status, boot, timeMs, body } = answer;
  return mac(secret, ["xenon answer 1", nonce, status, boot, timeMs, digest(body)]);
}

/** Compares in constant time. */
export function sameMac(left: string, right: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(left) || !/^[0-9a-f]{64}$/.test(right)) return false;
  return timingSafeEqual(Buffer.from(left, "hex"), Buffer.from(right, "hex"));
}

/** The stamp in the headers of a request; null when it has none or one of a strange shape. */
export function readStamp(headers: Headers): Stamp | null {
  const nonce = headers.get(HEADER_NONCE) ?? "";
  const boot = headers.get(HEADER_BOOT) ?? "";
  const timeMs = Number(headers.get(HEADER_TIME) ?? "0");
  const wellFormed = /^[0-9a-f]{32}$/.test(nonce) && /^[0-9a-z-]{0,64}$/i.test(boot) &&
    Number.isSafeInteger(timeMs) && timeMs >= 0;
  return wellFormed ? { nonce, boot, timeMs } : null;
}

/** `stale`: ask again with the time of the challenge. `replayed`, `full`: refuse. */
export type Freshness = "fresh" | "stale" | "replayed" | "full";

export interface ReplayGuard {
  /** Looks at a stamp before the body is read and the signature checked; remembers nothing. */
  judge(stamp: Stamp, nowMs: number): Freshness;
  /** The same for a request whose signature is valid, and takes its nonce out of use. */
  admit(stamp: Stamp, nowMs: number): Freshness;
}

/** Remembers the nonces of one process, whose boot id is `bootId`, as long as they could be used. */
export function createReplayGuard(bootId: string, noncesMax: number = NONCES_MAX): ReplayGuard {
  // Two generations: the older one is dropped whole when it can no longer matter.
  const generationMs = REPLAY_WINDOW_MS + AHEAD_MS_MAX;
  let young = new Set<string>();
  let old = new Set<string>();
  let turnAtMs = Number.NEGATIVE_INFINITY;

  function judge(stamp: Stamp, nowMs: number): Freshness {
    if (stamp.boot !== bootId) return "stale";
    if (stamp.timeMs < nowMs - REPLAY_WINDOW_MS || stamp.timeMs > nowMs + AHEAD_MS_MAX) {
      return "stale";
    }
    return young.has(stamp.nonce) || old.has(stamp.nonce) ? "replayed" : "fresh";
  }

  function admit(stamp: Stamp, nowMs: number): Freshness {
    const freshness = judge(stamp, nowMs);
    if (freshness !== "fresh") return freshness;
    if (nowMs >= turnAtMs) {
      old = nowMs >= turnAtMs + generationMs ? new Set() : young;
      young = new Set();
      turnAtMs = nowMs + generationMs;
    }
    if (young.size >= noncesMax) return "full";
    young.add(stamp.nonce);
    return "fresh";
  }

  return { judge, admit };
}

export interface PeerClocks {
  /** What to write on a request to `endpoint`: its boot id and its time by our clock. */
  stampFor(endpoint: string, nowMs: number): { readonly boot: string; readonly timeMs: number };
  /** Takes note of a signed answer that arrived at `nowMs`. */
  learn(
    endpoint: string,
    answer: { readonly boot: string; readonly timeMs: number },
    nowMs: number,
  ): void;
}

/** More endpoints than any cluster has; the one learned first is forgotten first. */
const PEERS_MAX = 256;

/** What a caller knows of its receivers' clocks. Only differences matter, never a wall clock. */
export function createPeerClocks(): PeerClocks {
  const known = new Map<string, { readonly boot: string; readonly aheadMs: number }>();
  return {
    stampFor(endpoint, nowMs) {
      const clock = known.get(endpoint);
      if (clock === undefined) return { boot: "", timeMs: 0 };
      return { boot: clock.boot, timeMs: Math.max(0, Math.round(nowMs + clock.aheadMs)) };
    },
    learn(endpoint, { boot, timeMs }, nowMs) {
      const first = known.keys().next().value;
      if (known.size >= PEERS_MAX && !known.has(endpoint) && first !== undefined) {
        known.delete(first);
      }
      known.set(endpoint, { boot, aheadMs: timeMs - nowMs });
    },
  };
}

/** No part can hold an end of line, so no two lists of parts read the same. */
function mac(secret: Secret, parts: readonly (string | number)[]): string {
  return createHmac("sha256", secret.reveal()).update(parts.join("\n")).digest("hex");
}

function digest(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}
