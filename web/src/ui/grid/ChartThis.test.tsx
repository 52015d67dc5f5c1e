/** The small pictures of charts: asked for under a name, and let go with the dialog. */
import { createRoot } from 'react-dom/client'
import { afterEach, expect, test, vi } from 'vitest'
import { looking, type Table } from '../../api/looking'
import { ChartThis } from './ChartThis'

const TABLE = {
  ref: 'r', mark: 'm', kind: 'pandas.DataFrame', variable: 'df', rows: 10, libraries: ['matplotlib'], columns: [{ name: 'a', kind: 'number', type: 'int64' }, { name: 'b', kind: 'number', type: 'int64' }],
} as unknown as Table

function shown() {
  const root = createRoot(document.body.appendChild(document.createElement('div')))
  root.render(<ChartThis notebook="n" table={TABLE} chosen={[]} onChoose={() => undefined} onClose={() => undefined} />)
  return () => root.unmount()
}

afterEach(() => vi.restoreAllMocks())

test('what still waits behind a long sort is let go when the dialog closes', async () => {
  const rows = vi.spyOn(looking, 'rows').mockReturnValue(new Promise(() => undefined))
  const stop = vi.spyOn(looking, 'stop').mockResolvedValue()

  const close = shown()
  await vi.waitFor(() => expect(rows).toHaveBeenCalledOnce())
  expect(stop).not.toHaveBeenCalled()
  close()

  const { asker } = rows.mock.calls[0]![2]
  expect(asker).toMatch(/^[0-9a-z]{8,40}$/)
  await vi.waitFor(() => expect(stop.mock.calls).toEqual([['n', asker]]))
})

test('what was refused needs no letting go', async () => {
  const rows = vi.spyOn(looking, 'rows').mockImplementation(() => Promise.reject(new Error('The table is gone.')))
  const stop = vi.spyOn(looking, 'stop').mockResolvedValue()

  const close = shown()
  await vi.waitFor(() => expect(rows).toHaveBeenCalledOnce())
  await Promise.allSettled(rows.mock.results.map(({ value }) => value as Promise<unknown>))
  await vi.waitFor(() => expect(document.body.textContent).toContain('Chart this'))
  close()

  expect(stop).not.toHaveBeenCalled()
})
