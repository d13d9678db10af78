import { Chess } from 'chess.js'

export default ({ choices }) => {
  const game = new Chess()
  for (const choice of choices) {
    const moves = game.moves()
    if (moves.length === 0) break
    game.move(moves[choice % moves.length])
  }
  return [game.fen(), game.pgn(), game.isCheck(), new Chess().perft(2)]
}
