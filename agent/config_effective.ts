/** Every setting as the agent uses it, with where its value comes from. */
import { type DetailedResult } from "./config.ts";
import { keys } from "./config_schema.ts";
import type { Config } from "./config_shape.ts";

/** file: it stands in the file. derived: made of other settings. default: neither. */
export type Origin = "file" | "derived" | "default";

export interface EffectiveSetting {
  readonly section: string;
  readonly key: string;
  /** Null for a setting that is absent; a secret is never in here. */
  readonly value: string | number | boolean | null;
  readonly origin: Origin;
}

/** In place of every password that is not empty. */
const hiddenValue = "(hidden)";

/** Settings whose value in use may be another one than that in the file or than the default. */
const derived: Readonly<Record<string, (config: Config) => EffectiveSetting["value"]>> = {
  "raft.lease-timeout": ({ raft }) => raft.leaseMs,
  "raft.fence-timeout": ({ raft }) => raft.fenceMs,
  "vip.prefix": ({ vip }) => vip?.prefix ?? null,
  "vip.lease": ({ vip }) => vip?.leaseMs ?? null,
  "backup.ssh-host": ({ backup }) => backup.sshHost,
  "rpc.bind": ({ rpc }) => rpc.bindHost,
};

/** All settings in the order of config.example.toml. */
export function effectiveSettings(
  { config, values, given }: DetailedResult & { readonly kind: "config" },
): readonly EffectiveSetting[] {
  return Object.entries(keys).flatMap(([section, own]) =>
    Object.entries(own).map(([key, { secret }]) => {
      const path = `${section}.${key}`;
      const written = values.get(path) ?? null;
      const inUse = derived[path]?.(config) ?? written;
      const value = secret === true && inUse !== "" ? hiddenValue : inUse;
      const origin: Origin = inUse !== written ? "derived" : given.has(path) ? "file" : "default";
      return { section, key, value, origin };
    })
  );
}
