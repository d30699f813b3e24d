import { addressBucket } from '../limits/addressBucket.ts';
import { formatCidr, parseCidr, requireCidr } from '../network/cidr.ts';
import type { Db } from '../storage/db.ts';
import type { IpBlocks } from './feed.ts';
import { blockAutomatically, type IpBlockView } from './repository.ts';
import { type EndedRequest, type Strike, type StrikeKind, strikesOf } from './strikes.ts';

/** Under attack from more addresses than this at once, some are counted later: each strikes again. */
const maxUnderWay = 1_000;
/** They must leave connections of the database to requests. */
const maxBlocksUnderWay = 4;

const names: Record<StrikeKind, string> = {
  FAILED_AUTHENTICATION: 'failed authentications',
  RATE_LIMIT_REFUSAL: 'rate-limit refusals',
  MALFORMED_REQUEST: 'malformed requests',
};

/** When addresses are blocked, and for how long. */
export type AutomaticBlockSettings = {
  /** How many of each kind in the window lead to a block; 0: none do. */
  readonly strikes: Readonly<Record<StrikeKind, number>>;
  readonly windowSeconds: number;
  readonly seconds: number;
  /** Each further block of a range is twice as long, up to this. */
  readonly maxSeconds: number;
};

/** The request with which an address has struck once too often. */
export type LastStrike = { ip: string; userAgent: string | null; requestId: string };

export type AutomaticBlocksOptions = {
  settings: AutomaticBlockSettings;
  db: Db;
  ipBlocks: Pick<IpBlocks, 'remainingMs' | 'isProtected' | 'announce'>;
  /** Counts for an address, over all processes; answers whether the setting of this kind is reached in the window. */
  count(address: string, strike: Strike): Promise<boolean>;
  /** Writes the audit row, in the transaction of the block. */
  record(tx: Db, block: IpBlockView, lastStrike: LastStrike): Promise<void>;
  /** Hears of each failure. */
  onError: (error: unknown) => void;
};

/** Blocks addresses from which too much comes that no honest client sends. */
export type AutomaticBlocks = {
  /** For a request that has ended; never throws, and its work goes on in the background. */
  note(request: EndedRequest & LastStrike): void;
  /** Resolves when the work under way has ended. */
  close(): Promise<void>;
};

/**
 * Counts strikes by address, of IPv6 by /64, and blocks where a number is reached. Loopback and proxies are never
 * counted. Of strikes at the same time one blocks the address, in this process and in all.
 */
export function createAutomaticBlocks(options: AutomaticBlocksOptions): AutomaticBlocks {
  const { settings, db, ipBlocks, count, record, onError } = options;
  const underWay = new Set<Promise<void>>();
  const blocking = new Set<string>();
  let isClosed = false;

  async function strike(address: string, strike: Strike, last: LastStrike): Promise<void> {
    if (!(await count(address, strike))) return;
    // It is blocked meanwhile, or about to be; or so many are that this one has to strike again.
    if (blocking.has(address) || blocking.size >= maxBlocksUnderWay || ipBlocks.remainingMs(last.ip) > 0) return;
    blocking.add(address);
    try {
      await block(address, strike.kind, last);
    } finally {
      blocking.delete(address);
    }
  }

  async function block(address: string, kind: StrikeKind, last: LastStrike): Promise<void> {
    const { windowSeconds, seconds, maxSeconds } = settings;
    const changed = await db.transaction(async (tx) => {
      const made = await blockAutomatically(tx, {
        cidr: formatCidr(requireCidr(address)),
        reason: `${settings.strikes[kind]} ${names[kind]} in ${durationOf(windowSeconds)}`,
        graceSeconds: windowSeconds,
        seconds,
        maxSeconds,
      });
      if (made) await record(tx, made.block, last);
      return made;
    });
    if (changed) ipBlocks.announce([changed.change]);
  }

  return {
    note({ ip, userAgent, requestId, ...request }) {
      const strikes = strikesOf(request).filter(({ kind }) => settings.strikes[kind] > 0);
      const address = strikes.length > 0 ? countedAddress(ip) : null;
      if (address === null || isClosed || ipBlocks.isProtected(requireCidr(address))) return;
      for (const each of strikes) {
        if (underWay.size >= maxUnderWay) return;
        const work = strike(address, each, { ip, userAgent, requestId })
          .catch(onError)
          .finally(() => underWay.delete(work));
        underWay.add(work);
      }
    },
    async close() {
      isClosed = true;
      await Promise.all(underWay);
    },
  };
}

/** Null where there is no address, or an unspecified one: the connection was gone before it was asked. */
function countedAddress(ip: string): string | null {
  const range = parseCidr(ip);
  return range?.words.some((word) => word !== 0) ? addressBucket(ip) : null;
}

function durationOf(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
