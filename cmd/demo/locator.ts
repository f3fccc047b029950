/**
 * Finds the leader as an application would: it asks every agent's open page `/leader`, all at once,
 * and keeps the latest answers. Nobody waits for it; a dead or frozen agent only makes its own
 * answer missing.
 */

/** Where writes should go now. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** `host:port`, to compare and to show. */
  readonly name: string;
}

/** What one agent says about the leader. */
export interface Claim {
  readonly agent: string;
  readonly leader: string;
  readonly mysql: string;
  /** 0 where the page has no term. */
  readonly term: number;
}

const askMs = 200;
const calmMs = 100;
/** While nobody can write, the question is asked this often. */
const hungryMs = 10;

/** Asks until it is stopped. */
export class Locator implements AsyncDisposable {
  readonly #agents: readonly string[];
  readonly #claims = new Map<string, Claim>();
  readonly #sleepers = new Set<() => void>();
  readonly #ended = new AbortController();
  #loops: Promise<void>[] = [];
  #hungry = false;

  constructor(agents: readonly string[]) {
    this.#agents = agents;
  }

  start(): void {
    this.#loops = this.#agents.map((agent) => this.#follow(agent));
  }

  /** The best answer of the moment; null while nobody knows a leader. */
  best(): Target | null {
    const claim = bestClaim([...this.#claims.values()]);
    return claim === null ? null : targetOf(claim.mysql);
  }

  /** A write failed: ask again at once and often, until `fed`. */
  hungry(): void {
    if (this.#hungry) return;
    this.#hungry = true;
    for (const wake of [...this.#sleepers]) wake();
  }

  fed(): void {
    this.#hungry = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    for (const wake of [...this.#sleepers]) wake();
    await Promise.all(this.#loops);
  }

  async #follow(agent: string): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const claim = await ask(agent, this.#ended.signal);
      if (claim === null) this.#claims.delete(agent);
      else this.#claims.set(agent, claim);
      await this.#sleep(this.#hungry ? hungryMs : calmMs);
    }
  }

  #sleep(ms: number): Promise<void> {
    if (this.#ended.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#sleepers.add(wake);
    });
  }
}

/**
 * The claim to believe: the highest term; with equal terms what most agents say, where the word of
 * a node about itself outweighs hearsay.
 */
export function bestClaim(claims: readonly Claim[]): Claim | null {
  const weight = (claim: Claim) => {
    const same = claims.filter(({ leader, term }) =>
      leader === claim.leader && term === claim.term
    );
    return same.length + (same.some(({ agent, leader }) => agent === leader) ? 1.5 : 0);
  };
  const sorted = [...claims].sort((left, right) =>
    right.term - left.term || weight(right) - weight(left)
  );
  return sorted[0] ?? null;
}

async function ask(agent: string, ended: AbortSignal): Promise<Claim | null> {
  try {
    const signal = AbortSignal.any([AbortSignal.timeout(askMs), ended]);
    const response = await fetch(`http://${agent}/leader`, { signal });
    const said = await response.json() as Readonly<Record<string, unknown>>;
    if (!response.ok) return null;
    const { leader, mysql, term } = said;
    if (typeof leader !== "string" || typeof mysql !== "string") return null;
    return { agent, leader, mysql, term: typeof term === "number" ? term : 0 };
  } catch {
    // Dead, frozen or starting: it says nothing about the leader, and others are asked as well.
    return null;
  }
}

function targetOf(name: string): Target {
  const colon = name.lastIndexOf(":");
  return { host: name.slice(0, colon), port: Number(name.slice(colon + 1)), name };
}
