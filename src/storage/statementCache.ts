import { LRUCache } from 'lru-cache';
import type { Db } from './db.ts';

/** The prepared statement of this shape for this database or transaction, made by `prepare` where it is not there yet. */
export type StatementCache<Statement> = (db: Db, shape: string, prepare: () => Statement) => Statement;

/** A cache of at most `maxShapes` statements for each database: drizzle's building of one costs more than sending it. */
export function createStatementCache<Statement extends object>(maxShapes: number): StatementCache<Statement> {
  const statements = new WeakMap<Db, LRUCache<string, Statement>>();
  return (db, shape, prepare) => {
    const ofDb = statements.get(db) ?? new LRUCache<string, Statement>({ max: maxShapes });
    statements.set(db, ofDb);
    const statement = ofDb.get(shape) ?? prepare();
    ofDb.set(shape, statement);
    return statement;
  };
}
