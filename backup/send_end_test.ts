import assert from "node:assert/strict";
import type { ProcessEnd, ProcessResult } from "../mysql/process.ts";
import { type SendEnds, whyNotSent } from "./send_end.ts";
import type { SshIdentity } from "./ssh.ts";

const place = { user: "mysql", host: "joiner", port: 22 };
const identity: SshIdentity = { key: null, knownHosts: null, compress: false };
const good: ProcessEnd = { how: "exit", code: 0 };
const failed: ProcessEnd = { how: "exit", code: 1 };
const brokenPipe: ProcessEnd = { how: "signal", signal: "SIGPIPE" };

function ended(how: ProcessEnd, stderrTail = ""): ProcessResult {
  return {
    command: ["x"],
    ended: how,
    durationMs: 5,
    stdoutTail: "",
    stdoutCut: false,
    stderrTail,
  };
}

function why(ends: Partial<SendEnds>): string | null {
  const whole: SendEnds = {
    source: ended(good, "completed OK!\n"),
    sink: ended(good),
    first: "source",
    stopped: null,
    ...ends,
  };
  return whyNotSent(whole, place, identity);
}

Deno.test("whyNotSent() is content with two good ends and the marker", () => {
  assert.equal(why({}), null);
});

Deno.test("whyNotSent() wants the marker whatever the exit code says", () => {
  assert.match(why({ source: ended(good, "copied much\n") }) ?? "", /did not finish/);
});

Deno.test("whyNotSent() blames a killed tool and not the stream that it left cut", () => {
  const source = ended({ how: "signal", signal: "SIGKILL" }, "copying\n");
  const because = why({ source, sink: ended(failed, "xb_stream_read_chunk(): wrong chunk\n") });
  assert.match(because ?? "", /^xtrabackup was ended by SIGKILL .*copying/);
});

Deno.test("whyNotSent() blames what ssh complains about, even where the pipe broke first", () => {
  const sink = ended({ how: "exit", code: 255 }, "Timeout, server joiner not responding.\n");
  assert.match(why({ source: ended(brokenPipe), sink }) ?? "", /the connection to joiner .* broke/);
});

Deno.test("whyNotSent() blames the receiver that ended first, and shows its last words", () => {
  const sink = ended(failed, "xbstream: something odd\n");
  const because = why({ source: ended(brokenPipe), sink, first: "sink" });
  assert.match(because ?? "", /^xbstream on joiner ended with exit code 1 .*something odd/);
});

Deno.test("whyNotSent() lets the sender tidy up after the receiver has everything", () => {
  assert.equal(why({ first: "sink" }), null);
});

Deno.test("whyNotSent() names a missing tool, and a stop of our own before all else", () => {
  const source = ended({ how: "exit", code: 127 }, "sh: 1: exec: /x/xtrabackup: not found\n");
  assert.match(why({ source }) ?? "", /xtrabackup-bindir on the donor/);
  assert.equal(why({ source, stopped: "it was canceled" }), "it was canceled");
});
