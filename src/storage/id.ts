import { typeidUnboxed } from 'typeid-js';

export type IdPrefix = 'user' | 'sess' | 'key' | 'task' | 'audit' | 'block' | 'cli';

/** A new TypeID: the prefix and a UUIDv7, so that ids sort by the time they were made (TypeID spec 0.3). */
export function newId(prefix: IdPrefix): string {
  return typeidUnboxed(prefix);
}
