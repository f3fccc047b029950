/** The durable switches of one node: they survive a restart of its agent. */
import * as v from "valibot";
import { decodeParams } from "./params.ts";
import type { Log } from "./ports.ts";
import type { NodeMemory, Store } from "./store.ts";
import { RpcError, type RpcMethods } from "./wire_rpc.ts";

export interface SwitchesOptions {
  readonly witness: boolean;
  readonly store: Store;
  readonly log: Log;
  /** Why the server is left alone, as a job has it; null while none does. */
  readonly held: () => string | null;
}

const switchSchema = v.object({
  name: v.picklist(["monitor", "purgeBinlog", "checkSemiSync"]),
  on: v.boolean(),
});

type SwitchName = v.InferOutput<typeof switchSchema>["name"];

const keys = {
  monitor: "monitor",
  purgeBinlog: "purge",
  checkSemiSync: "semiSyncCheck",
} as const satisfies Readonly<Record<SwitchName, keyof NodeMemory>>;

const sentences: Readonly<Record<SwitchName, { readonly on: string; readonly off: string }>> = {
  monitor: {
    on: "mysqld is started again when it dies",
    off: "mysqld is not started again when it dies",
  },
  purgeBinlog: {
    on: "binary logs that no member needs any more are removed on this node",
    off: "no binary logs are removed on this node: watch its disk",
  },
  checkSemiSync: {
    on: "semi-sync is verified and repaired while this node leads",
    off:
      "semi-sync is NOT verified or repaired while this node leads: what switches it off by hand " +
      "makes writes unsafe; a promotion still demands it",
  },
};

/** The method that turns them. */
export function switchMethods({ witness, store, log, held }: SwitchesOptions): RpcMethods {
  return {
    "node.switch": async (params) => {
      const { name, on } = decodeParams(switchSchema, params);
      if (witness) throw new RpcError("refused", "a witness has no MySQL server");
      const because = name === "monitor" ? held() : null;
      if (because !== null) throw new RpcError("refused", because);
      await store.remember({ [keys[name]]: on });
      const sentence = sentences[name][on ? "on" : "off"];
      log.write(on ? "info" : "warning", `An operator decided: ${sentence}`, {});
      const stopped = name === "monitor" && on && store.current.memory.stopped
        ? ['an operator stopped it, so it stays down until "xenon mysql start"']
        : [];
      return { sentences: [`From now on ${sentence}`, ...stopped] };
    },
  };
}
