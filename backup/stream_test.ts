import assert from "node:assert/strict";
import { sendCopy, type SendLimits } from "./stream.ts";

const place = { user: "nobody", host: "here", port: 22 };
const identity = { key: null, knownHosts: null, compress: false };
const receiver = ["sh", "-c", "cat >/dev/null"];

async function send(source: string, sink = receiver) {
  const workFolder = await Deno.makeTempDir({ prefix: "xenon-stream-" });
  const limits: SendLimits = {
    deadlineMs: 60_000,
    silenceMs: 60_000,
    signal: new AbortController().signal,
    onBytes: () => {},
  };
  try {
    const wish = { source: ["sh", "-c", source], sink, place, identity, workFolder };
    return await sendCopy(wish, limits);
  } finally {
    await Deno.remove(workFolder, { recursive: true });
  }
}

Deno.test("sendCopy() lets the sender tidy up after its last byte", async () => {
  const tidying = "echo all; exec >&-; sleep 1; echo 'completed OK!' >&2";
  assert.equal((await send(tidying)).because, null);
});

Deno.test("sendCopy() ends a sender whose receiver failed, and says why that did", async () => {
  const result = await send("sleep 60", ["sh", "-c", "echo 'no space' >&2; exit 1"]);
  assert.match(result.because ?? "", /xbstream on here ended with exit code 1.*no space/);
  assert.ok(result.durationMs < 30_000);
});
