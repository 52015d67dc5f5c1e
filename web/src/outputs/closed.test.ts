// @vitest-environment jsdom
import { afterEach, describe, expect, test, vi } from 'vitest'

afterEach(() => {
  sessionStorage.clear()
  vi.resetModules()
})

describe('saved scripts', () => {
  test.each([
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36', true],
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/155.0.0.0 Safari/537.36', false],
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36', true],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0', false],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15', false],
  ])('are drawn at once only where the frame is closed: %s', async (agent, closed) => {
    const { keepsClosed } = await import('./closed')

    expect(keepsClosed(agent)).toBe(closed)
  })

  test('that brought the page down wait the next time', async () => {
    expect((await import('./closed')).begins('n1')).toBe(true)
    vi.resetModules()

    const after = await import('./closed')
    expect(after.begins('n1')).toBe(false)
    expect(after.begins('n2')).toBe(true)
  })

  test('that the page lived through do not', async () => {
    expect((await import('./closed')).begins('n1')).toBe(true)
    dispatchEvent(new Event('pagehide'))
    vi.resetModules()

    expect((await import('./closed')).begins('n1')).toBe(true)
  })
})
