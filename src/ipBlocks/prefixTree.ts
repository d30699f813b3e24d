import { bitAt, type Cidr, sharedBits, type Words } from '../network/cidr.ts';

/** The places of a node in its record, which is small so that many of them fit into the processor's cache. */
const [zeroPlace, onePlace, prefixPlace, countPlace] = [0, 1, 2, 3];
const recordLength = 4;
const initialNodes = 256;
/** Number 0 is no node. */
const none = 0;

/**
 * Ranges of one family, each with any number of values, as a radix tree: a node is a range, with the narrower ones in it
 * by their next bit. A look-up takes a step for each place where ranges on the way part, 20 or so among 100,000.
 */
export class PrefixTree<Value extends Cidr> {
  #records = new Int32Array(initialNodes * recordLength);
  readonly #words: Words[] = [[]];
  readonly #values: (readonly Value[])[] = [[]];
  readonly #free: number[] = [];
  #root = none;

  add(value: Value): void {
    this.#root = this.#inserted(this.#root, value);
  }

  removeAll(isUnwanted: (value: Value) => boolean): void {
    this.#root = this.#pruned(this.#root, isUnwanted);
  }

  /** Calls `visit` with each value whose range holds the address. */
  visit(address: Words, visit: (value: Value) => void): void {
    const records = this.#records;
    for (let node = this.#root; node !== none; ) {
      const at = node * recordLength;
      const prefix = records[at + prefixPlace] ?? 0;
      // Where there is no value the bits need not be compared: further down they are, all of them.
      if (records[at + countPlace] !== 0) {
        if (sharedBits(this.#words[node] ?? [], address, prefix) < prefix) return;
        for (const value of this.#values[node] ?? []) visit(value);
      }
      node = records[at + (bitAt(address, prefix) ? onePlace : zeroPlace)] ?? none;
    }
  }

  #inserted(node: number, value: Value): number {
    if (node === none) return this.#create(value.words, value.prefix, [value]);
    const words = this.#words[node] ?? [];
    const prefix = this.#get(node, prefixPlace);
    const shared = sharedBits(words, value.words, Math.min(prefix, value.prefix));
    if (shared < prefix) {
      const above = this.#create(value.words, shared, shared === value.prefix ? [value] : []);
      this.#set(above, sideOf(words, shared), node);
      return shared === value.prefix ? above : this.#inserted(above, value);
    }
    if (shared === value.prefix) this.#setValues(node, [...(this.#values[node] ?? []), value]);
    else {
      const side = sideOf(value.words, shared);
      // First, since it may move the records.
      const below = this.#inserted(this.#get(node, side), value);
      this.#set(node, side, below);
    }
    return node;
  }

  /** The node, or what takes its place once nobody needs it. */
  #pruned(node: number, isUnwanted: (value: Value) => boolean): number {
    if (node === none) return none;
    const zero = this.#pruned(this.#get(node, zeroPlace), isUnwanted);
    const one = this.#pruned(this.#get(node, onePlace), isUnwanted);
    const values = this.#values[node] ?? [];
    const kept = values.filter((value) => !isUnwanted(value));
    if (kept.length === 0 && (zero === none || one === none)) {
      this.#setValues(node, []);
      this.#free.push(node);
      return zero === none ? one : zero;
    }
    this.#set(node, zeroPlace, zero);
    this.#set(node, onePlace, one);
    if (kept.length < values.length) this.#setValues(node, kept);
    return node;
  }

  #create(words: Words, prefix: number, values: readonly Value[]): number {
    const node = this.#free.pop() ?? this.#words.length;
    if ((node + 1) * recordLength > this.#records.length) {
      const larger = new Int32Array(this.#records.length * 2);
      larger.set(this.#records);
      this.#records = larger;
    }
    this.#words[node] = words;
    this.#set(node, zeroPlace, none);
    this.#set(node, onePlace, none);
    this.#set(node, prefixPlace, prefix);
    this.#setValues(node, values);
    return node;
  }

  #setValues(node: number, values: readonly Value[]): void {
    this.#values[node] = values;
    this.#set(node, countPlace, values.length);
  }

  #get(node: number, place: number): number {
    return this.#records[node * recordLength + place] ?? 0;
  }

  #set(node: number, place: number, value: number): void {
    this.#records[node * recordLength + place] = value;
  }
}

function sideOf(words: Words, place: number): number {
  return bitAt(words, place) ? onePlace : zeroPlace;
}
