import { afterEach, expect, test, vi } from 'vitest'
import { drive } from '../../api/drive'
import { chosenBy, chosenFile } from './chosen'

const ID = '0123456789abcdefghijkl'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

function here(): void {
  vi.stubGlobal('location', { origin: 'https://collegium.example.org' })
  vi.spyOn(drive, 'info').mockResolvedValue({ name: 'lesson.ipynb' } as Awaited<ReturnType<typeof drive.info>>)
}

test.each([ID, `/notebooks/${ID}`, `https://collegium.example.org/notebooks/${ID}#scrollTo=c1`, ` https://collegium.example.org/notebooks/${ID}?x `])(
  'a link to a notebook of this server is asked of its drive: %s',
  async (words) => {
    here()
    expect(await chosenBy(words)).toEqual({ name: 'lesson.ipynb', side: { notebook: ID } })
  },
)

test('any other address is for the server to open', async () => {
  here()
  const url = `https://elsewhere.example.org/notebooks/${ID}`
  expect(await chosenBy(url)).toEqual({ name: ID, side: { url } })
  expect((await chosenBy('http://example.org/a/My%20notes.ipynb?raw=1')).name).toBe('My notes.ipynb')
  expect((await chosenBy('https://example.org/%E0')).name).toBe('%E0')
})

test.each(['nonsense', 'file:///etc/passwd', 'https://collegium.example.org/drive/root'])('what is neither says so: %s', async (words) => {
  here()
  await expect(chosenBy(words)).rejects.toThrow()
})

test('a file that is not JSON is not sent', async () => {
  await expect(chosenFile(new File(['{'], 'n.ipynb'))).rejects.toThrow('not JSON')
})
