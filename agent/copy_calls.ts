/**
 * What agents ask each other for a copy by clone: the donor what it is and to load the plugin, the
 * leader to create the account. The account's password is worked out by every node from a secret that
 * all of them have, so it never travels between agents and stands in no file.
 */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { type CloneOffer, decodeOffer, offerQueries, readOffer } from "../backup/clone_offer.ts";
import * as v from "valibot";
import { ownedOf } from "../mysql/facts.ts";
import { formatLine, parse, union } from "../mysql/gtid.ts";
import { messageOf } from "../mysql/message_of.ts";
import { text } from "../mysql/rows.ts";
import type { Peers } from "./ports.ts";
import type { Secret } from "./secret.ts";
import { RpcError, type RpcMethods } from "./wire_rpc.ts";

/** The server beside this agent, as a donor. */
export interface DonorServer {
  loadPlugin(): Promise<void>;
  admit(account: CloneAccount): Promise<void>;
  ask(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export interface CloneAccount {
  readonly user: string;
  readonly password: string;
}

/** What a joiner's agent asks the others. Rejects with the reason. */
export interface CopyCalls {
  /** Bytes of a donor's data files; null where it does not say. */
  size(donor: string): Promise<number | null>;
  /** Everything that a leader has committed, the commits that wait for acknowledgements too. */
  position(leader: string): Promise<string>;
  offer(donor: string): Promise<CloneOffer>;
  /** Creates the account, through whoever leads the cluster of this member. */
  admit(member: string): Promise<void>;
}

const positionSql = "SELECT @@GLOBAL.gtid_executed AS executed, @@GLOBAL.gtid_owned AS owned";
const positionSchema = v.object({ executed: v.string(), owned: v.string() });
const callMs = 25_000;
const sizeMs = 5_000;

/** The account that clones the servers of this cluster. */
export function cloneAccount(secret: Secret): CloneAccount {
  const key = Buffer.from(secret.reveal());
  const digest = createHmac("sha256", key).update("xenon clone account 1").digest("base64url");
  // Some password policies want each kind of character.
  return { user: "xenon_clone", password: `Xc1-${digest.slice(0, 28)}` };
}

export interface CopyCallMethodsOptions {
  readonly server: DonorServer;
  readonly account: CloneAccount;
  /** Id of this agent, and of the leader as it knows it; empty when it knows none. */
  readonly self: string;
  readonly leader: () => string;
  readonly calls: CopyCalls;
}

/** `copy.size` and `copy.offer` of a donor, `copy.position` of a leader; `copy.admit`, which any member passes on to its leader. */
export function copyCallMethods(options: CopyCallMethodsOptions): RpcMethods {
  const { server, account, self, leader, calls } = options;
  const refuse = (error: unknown) => {
    throw new RpcError("refused", messageOf(error));
  };
  return {
    "copy.size": async () => {
      const offer = await offerOf(server).catch(refuse);
      return { bytes: offer.dataBytes };
    },
    "copy.position": async () => {
      const [row = {}] = await server.ask(positionSql).catch(refuse) ?? [];
      return { executed: text(row, "executed"), owned: ownedOf(text(row, "owned")) };
    },
    "copy.offer": async () => {
      await server.loadPlugin().catch(refuse);
      return await offerOf(server).catch(refuse);
    },
    "copy.admit": async () => {
      const leading = leader();
      if (leading === "") refuse(new Error("nobody leads just now, try again later"));
      await (leading === self ? server.admit(account) : calls.admit(leading)).catch(refuse);
      return {};
    },
  };
}

/** The same over the network. */
export function createCopyCalls(peers: Peers): CopyCalls {
  const call = async (id: string, method: string) => {
    const answer = await peers.call(id, { method, params: {} }, { deadlineMs: callMs });
    if ("ok" in answer) return answer.ok;
    throw new Error(`${id} does not help with the copy: ${answer.failed.because}`);
  };
  return {
    size: async (donor) => {
      const question = { method: "copy.size", params: {} };
      const answer = await peers.call(donor, question, { deadlineMs: sizeMs });
      const { bytes } = ("ok" in answer ? answer.ok ?? {} : {}) as { readonly bytes?: unknown };
      return typeof bytes === "number" && bytes >= 0 ? bytes : null;
    },
    position: async (leader) => {
      const { executed, owned } = v.parse(positionSchema, await call(leader, "copy.position"));
      return formatLine(union(parse(executed), parse(owned)));
    },
    offer: async (donor) => decodeOffer(await call(donor, "copy.offer")),
    admit: async (member) => void await call(member, "copy.admit"),
  };
}

async function offerOf(server: DonorServer): Promise<CloneOffer> {
  const [settings, libraries, size] = await Promise.all([
    server.ask(offerQueries.settings),
    server.ask(offerQueries.libraries),
    server.ask(offerQueries.size),
  ]);
  return readOffer({ settings, libraries, size });
}
