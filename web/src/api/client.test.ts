import { afterEach, describe, expect, test, vi } from 'vitest'
import { signInProblem } from '../pages/signin/problem'
import { ApiError, api, downloadAddress, problem } from './client'

afterEach(() => vi.unstubAllGlobals())

describe('a refusal', () => {
  test('says what the server said, as a sentence', () => {
    expect(problem(404, '{"code":"not_found","detail":"there is no such notebook"}')).toMatchObject({ status: 404, code: 'not_found', message: 'There is no such notebook.' })
  })

  test.each(['', '<html>Bad gateway</html>', '[]', 'null', '{"detail":[1]}'])('that is not problem+json is still an error fit to be shown: %s', (body) => {
    expect(problem(502, body).message).toBe('The server had a problem. Try again in a moment.')
  })

  test('of a sign-in tells what to do, and not which of the two was wrong', () => {
    expect(signInProblem(new ApiError(401, 'unauthorized', 'x'))).toContain('do not match')
    expect(signInProblem(new ApiError(429, 'too_many', 'x'))).toContain('Wait a minute')
    expect(signInProblem(new ApiError(0, 'offline', 'The server cannot be reached.'))).toBe('The server cannot be reached.')
  })
})

describe('a question', () => {
  test('carries its words where they belong', async () => {
    const fetch = vi.fn(async (_address: string, _options: RequestInit) => new Response('{"items":[]}'))
    vi.stubGlobal('fetch', fetch)
    await api.list('a/b c')
    await api.rename('x/../y', 'new')

    expect(fetch.mock.calls[0]?.[0]).toBe('/api/v1/drive/items?folder=a%2Fb+c')
    expect(fetch.mock.calls[1]?.[0]).toBe('/api/v1/drive/items/x%2F..%2Fy')
    expect(fetch.mock.calls[1]?.[1]).toMatchObject({ method: 'PATCH', body: '{"name":"new"}' })
  })

  test('without an answer is an error of its own', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed')))

    await expect(api.me()).rejects.toMatchObject({ status: 0, code: 'offline' })
  })
})

test('folders are not files', () => {
  expect(downloadAddress({ id: 'a', kind: 'folder' })).toBeNull()
  expect(downloadAddress({ id: 'a', kind: 'notebook' })).toBe('/api/v1/notebooks/a/content?format=ipynb')
})
