import { beforeEach, expect, test, vi } from 'vitest'
import { ask } from '../api/client'
import { belongTo, telling } from './account'
import { DEFAULTS } from './model'
import { adopt, set, settings } from './store'

vi.mock('../api/client', async (original) => ({ ...(await original<typeof import('../api/client')>()), ask: vi.fn() }))
const asked = vi.mocked(ask)

beforeEach(() => {
  asked.mockReset()
  adopt(DEFAULTS, { of: null, unsent: {} })
})

/** The server, which answers with `known` when it is let. */
function server(known: object): () => void {
  let answer = (): void => undefined
  asked.mockImplementation((method) => (method === 'GET' ? new Promise((resolve) => (answer = () => resolve(known))) : Promise.resolve(known)))
  return () => answer()
}

test('what is chosen while the server is asked holds, and is told', async () => {
  const answer = server({ keys: { preset: 'default' }, editor: { indent: 2 } })
  set({ editor: { indent: 4 } })

  const belonging = belongTo('ada')
  set({ keys: { preset: 'jupyterlab' } })
  answer()
  await belonging

  expect(settings.getState().keys.preset).toBe('jupyterlab')
  // Chosen before anybody had signed in: the account knows better.
  expect(settings.getState().editor.indent).toBe(2)
  expect(asked).toHaveBeenLastCalledWith('PATCH', '/me/settings', { json: { keys: { preset: 'jupyterlab' } } })
  expect(telling.getState()).toEqual({ state: 'told' })
})

test('nothing is said to be kept for the account before the server has it', async () => {
  const answer = server({})
  const belonging = belongTo('ada')
  answer()
  await belonging
  expect(telling.getState()).toEqual({ state: 'told' })

  set({ editor: { indent: 2 } })
  expect(telling.getState()).toEqual({ state: 'telling' })
  await vi.waitFor(() => expect(telling.getState()).toEqual({ state: 'told' }))
  expect(asked).toHaveBeenLastCalledWith('PATCH', '/me/settings', { json: { editor: { indent: 2 } } })
})

test('what somebody else chose in this browser stays out of the account', async () => {
  adopt({ ...DEFAULTS, keys: { ...DEFAULTS.keys, preset: 'vim' } }, { of: 'bob', unsent: { keys: { preset: 'vim' } } })
  const answer = server({})

  const belonging = belongTo('ada')
  answer()
  await belonging

  expect(settings.getState().keys.preset).toBe(DEFAULTS.keys.preset)
  expect(asked).toHaveBeenCalledTimes(1)
})
