import { type Cidr, parseAddress, requireCidr, type Words } from '../network/cidr.ts';
import { PrefixTree } from './prefixTree.ts';

/** How long a block is remembered after its end: longer than an old answer of the database can be under way. */
const rememberedMs = 60_000;
const sweepEveryMs = 60_000;

/** A block as the database has it now: `remainingMs` is 0 or less where it has ended. */
export type BlockChange = {
  id: string;
  /** As Postgres writes it. */
  cidr: string;
  /** Grows with each change of this block. */
  version: number;
  remainingMs: number;
};

/** The blocks that this process knows of. */
export type BlockSet = {
  /** Takes over what is newer than what is known; the order in which changes arrive does not matter. */
  apply(changes: readonly BlockChange[]): void;
  /** How long the address is still blocked; 0 where it is not, and for text that is no address. */
  remainingMs(ip: string): number;
};

type Block = Cidr & { version: number; endsAt: number };

/** No blocks yet; a block ends by the time alone. `now` counts milliseconds and never jumps. */
export function createBlockSet(now: () => number = () => performance.now()): BlockSet {
  const trees = { 1: new PrefixTree<Block>(), 4: new PrefixTree<Block>() };
  const treeOf = ({ length }: Words) => trees[length === 1 ? 1 : 4];
  const byId = new Map<string, Block>();
  let sweptAt = now();

  function sweep(): void {
    if (now() - sweptAt < sweepEveryMs) return;
    sweptAt = now();
    const isForgettable = ({ endsAt }: Block) => endsAt < sweptAt - rememberedMs;
    for (const [id, block] of byId) if (isForgettable(block)) byId.delete(id);
    for (const tree of Object.values(trees)) tree.removeAll(isForgettable);
  }

  return {
    apply(changes) {
      sweep();
      const at = now();
      for (const { id, cidr, version, remainingMs } of changes) {
        const known = byId.get(id);
        const endsAt = at + Math.max(0, remainingMs);
        if (!known) {
          const block = { ...requireCidr(cidr), version, endsAt };
          byId.set(id, block);
          treeOf(block.words).add(block);
        } else if (version > known.version) Object.assign(known, { version, endsAt });
      }
    },
    remainingMs(ip) {
      const words = byId.size === 0 ? null : parseAddress(ip);
      if (!words) return 0;
      let latest = 0;
      treeOf(words).visit(words, ({ endsAt }) => {
        latest = Math.max(latest, endsAt);
      });
      return latest === 0 ? 0 : Math.max(0, latest - now());
    },
  };
}
