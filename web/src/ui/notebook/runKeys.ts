/** The keys that run a cell, as this person set them; none if they took them away. */
import { keyShown } from '../commands/keys'
import { COMMANDS } from '../commands/table'

export const runKeys = (): string | undefined => keyShown(COMMANDS.find(({ id }) => id === 'run')!)
