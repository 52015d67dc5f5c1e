/** The palette says of every command why it cannot be used. */
import { expect, test } from 'vitest'
import { COMMANDS } from './table'
import { whyNot } from './whyNot'

const EVERYTHING = { may: () => true }
const NOTHING = { may: () => false }

test('every command with a condition of its own says what it is', () => {
  const silent = COMMANDS.filter((command) => command.enabled !== undefined && whyNot(command, EVERYTHING) === null)

  expect(silent.map(({ id }) => id)).toEqual([])
})

test('what one may not do comes before what is missing', () => {
  const delete_ = COMMANDS.find(({ id }) => id === 'delete')!

  expect([whyNot(delete_, NOTHING), whyNot(delete_, EVERYTHING)]).toEqual(['You may not edit here', 'No cell is chosen'])
})
