import { type Layout, leavesAt, ledgerSlices } from './slidingWindow.ts';

type Cell = { cell: number; units: number };
type Entry = { slice: number; cell: number; units: number };

/** One bucket, in memory. Call `moveTo` first, with the time, whatever you ask then. */
export class Bucket {
  readonly #layout: Layout;
  /** Those that count and are not empty, oldest first. */
  #cells: Cell[] = [];
  /** What is not settled yet, oldest first; of each cell at most as much as it counts. */
  #ledger: Entry[] = [];
  #used = 0;
  #cell = 0;
  #slice = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** What counts now. */
  get used(): number {
    return this.#used;
  }

  /** When the last unit leaves; 0 for none. */
  get emptyAt(): number {
    const newest = this.#cells.at(-1);
    return newest === undefined ? 0 : leavesAt(newest.cell, this.#layout);
  }

  /** Makes it now: cells leave, those of the future are moved, and what nobody settled is given back. */
  moveTo(cell: number, slice: number): void {
    this.#cell = cell;
    this.#slice = slice;
    if ((this.#cells.at(-1)?.cell ?? 0) > cell || (this.#ledger.at(-1)?.slice ?? 0) > slice) this.#moveToNow();
    if (this.#cells[0] && !this.#isLive(this.#cells[0].cell)) this.#dropLeft();
    if (this.#ledger[0] && this.#ledger[0].slice + ledgerSlices <= slice) this.#giveBackDead();
  }

  /** Counts units now, which are to be settled unless they are final. */
  count(units: number, isFinal: boolean): void {
    this.#add(this.#cell, units);
    if (isFinal) return;
    const newest = this.#ledger.at(-1);
    if (newest?.slice === this.#slice && newest.cell === this.#cell) newest.units += units;
    else this.#ledger.push({ slice: this.#slice, cell: this.#cell, units });
  }

  /** Settles units that were reserved in a slice and a cell. */
  settle(reservedIn: { slice: number; cell: number }, reserved: number, used: number): void {
    const slice = Math.min(reservedIn.slice, this.#slice);
    const cell = Math.min(reservedIn.cell, this.#cell);
    if (!this.#isLive(cell)) return;
    const place = this.#ledger.findIndex((entry) => entry.slice === slice && entry.cell === cell);
    const struck = Math.min(this.#ledger[place]?.units ?? 0, reserved);
    this.#strike(place, struck);
    this.#add(cell, used - struck);
  }

  /** When `excess` units, of those that count, have left. */
  leavesAt(excess: number): number {
    let left = 0;
    for (const { cell, units } of this.#cells) {
      left += units;
      if (left >= excess) return leavesAt(cell, this.#layout);
    }
    return this.emptyAt;
  }

  #isLive(cell: number): boolean {
    return cell + this.#layout.span >= this.#cell;
  }

  #add(cell: number, units: number): void {
    if (units === 0) return;
    this.#used += units;
    const after = this.#cells.findLastIndex((counted) => counted.cell <= cell);
    const counted = this.#cells[after];
    if (counted?.cell !== cell) this.#cells.splice(after + 1, 0, { cell, units });
    else if (counted.units + units > 0) counted.units += units;
    else this.#cells.splice(after, 1);
  }

  #strike(place: number, units: number): void {
    const entry = this.#ledger[place];
    if (entry === undefined) return;
    entry.units -= units;
    if (entry.units === 0) this.#ledger.splice(place, 1);
  }

  #dropLeft(): void {
    this.#cells = this.#cells.filter(({ cell }) => this.#isLive(cell));
    this.#ledger = this.#ledger.filter(({ cell }) => this.#isLive(cell));
    this.#used = this.#cells.reduce((sum, { units }) => sum + units, 0);
  }

  #giveBackDead(): void {
    const isDead = ({ slice }: Entry) => slice + ledgerSlices <= this.#slice;
    for (const { cell, units } of this.#ledger.filter(isDead)) this.#add(cell, -units);
    this.#ledger = this.#ledger.filter((entry) => !isDead(entry));
  }

  #moveToNow(): void {
    const cells = this.#cells;
    const ledger = this.#ledger;
    this.#cells = [];
    this.#ledger = [];
    this.#used = 0;
    for (const { cell, units } of cells) this.#add(Math.min(cell, this.#cell), units);
    for (const entry of ledger) {
      const [slice, cell] = [Math.min(entry.slice, this.#slice), Math.min(entry.cell, this.#cell)];
      const last = this.#ledger.at(-1);
      if (last?.slice === slice && last.cell === cell) last.units += entry.units;
      else this.#ledger.push({ slice, cell, units: entry.units });
    }
  }
}
