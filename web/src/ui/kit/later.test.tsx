import { createRoot } from 'react-dom/client'
import { expect, test, vi } from 'vitest'
import { later } from './later'

test('code that comes between the first rendering and its effect is shown', async () => {
  let come: (module: { default: () => string }) => void = () => {}
  const Code = later(() => new Promise<{ default: () => string }>((resolve) => { come = resolve }), 'waiting')
  void Code.ahead()
  function Arrival() {
    come({ default: () => 'here' })
    return null
  }
  const box = document.createElement('div')
  const root = createRoot(box)

  root.render(<><Code /><Arrival /></>)

  await vi.waitFor(() => expect(box.textContent).toBe('here'))
  root.unmount()
})
