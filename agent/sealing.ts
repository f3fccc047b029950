/**
 * Params of a call that others on the wire must not read, such as a new password.
 *
 * Calls are signed and not encrypted; those few are sealed with AES-256-GCM under a key derived from the
 * secret that all agents and operators of a cluster share. The method's name is sealed in, so that sealed
 * params of one method cannot be passed to another. Against replay the signature of the call helps.
 */
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import type { Secret } from "./secret.ts";

/** Bytes that must be drawn anew for every sealing under the same secret. */
export const SEAL_NONCE_BYTES = 12;

const algorithm = "aes-256-gcm";
const keyBytes = 32;
const tagBytes = 16;

export interface Sealing {
  readonly secret: Secret;
  /** The method that may open it. */
  readonly method: string;
}

/** Seals a text. */
export function seal(text: string, { secret, method }: Sealing, nonce: Uint8Array): string {
  const cipher = createCipheriv(algorithm, keyOf(secret), nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(method));
  const parts = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(parts).toString("base64");
}

/** Opens what `seal` made; null when it was made with another secret, for another method, or changed. */
export function unseal(sealed: string, { secret, method }: Sealing): string | null {
  const bytes = Buffer.from(sealed, "base64");
  if (bytes.length < SEAL_NONCE_BYTES + tagBytes) return null;
  const nonce = bytes.subarray(0, SEAL_NONCE_BYTES);
  const decipher = createDecipheriv(algorithm, keyOf(secret), nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(method));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const text = decipher.update(bytes.subarray(SEAL_NONCE_BYTES, -tagBytes));
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  } catch {
    // The tag does not fit, and nothing more is to be known about it.
    return null;
  }
}

/** Another purpose than signing, so another key. */
function keyOf(secret: Secret): Uint8Array {
  const key = hkdfSync("sha256", secret.reveal(), "", "xenon sealed params 1", keyBytes);
  return new Uint8Array(key);
}
