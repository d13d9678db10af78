// A database whose writes are told of: what the stores over it write may have to be looked for by a sweep (sweep-rest.ts). So no store, and no
// statement that is added to one, can forget to say so.
import type { Database } from './neon.ts'

const isRead = (text: string) => /^\s*select\b/i.test(text)

export function stirringDatabase(database: Database, stir: () => void): Database {
  return {
    query(row, statement, options) {
      if (!isRead(statement.text)) stir()
      return database.query(row, statement, options)
    },
    transaction(statements) {
      stir()
      return database.transaction(statements)
    },
  }
}
