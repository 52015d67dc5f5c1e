// @vitest-environment jsdom
import { describe, expect, test } from 'vitest'
import { ApiError } from '../../api/client'
import type { Item } from '../../api/types'
import { brief } from '../../i18n/formats'
import { allowed, pageOf, sizeText, sorted, toggled, typedAhead } from './listing'
import { Uploads } from './uploads'

const item = (name: string, more: Partial<Item> = {}): Item => ({
  id: name, kind: 'notebook', name, size: 0, created_at: 0, modified_at: 0, role: 'owner', owner: { id: 'u', name: 'Ada' }, trashed_at: null, parent: null, ...more,
})

describe('a listing', () => {
  const items = [item('b10'), item('z', { kind: 'folder' }), item('B9', { modified_at: 5 }), item('a', { modified_at: 9 })]

  test('has folders first and counts as people do', () => {
    expect(sorted(items, { by: 'name', descending: false }).map(({ name }) => name)).toEqual(['z', 'a', 'B9', 'b10'])
    expect(sorted(items, { by: 'name', descending: true }).map(({ name }) => name)).toEqual(['z', 'b10', 'B9', 'a'])
    expect(sorted(items, { by: 'modified', descending: true }).map(({ name }) => name)).toEqual(['z', 'a', 'B9', 'b10'])
  })

  test('by time begins at the newest', () => {
    expect(toggled({ by: 'name', descending: false }, 'modified')).toEqual({ by: 'modified', descending: true })
    expect(toggled({ by: 'name', descending: false }, 'name')).toEqual({ by: 'name', descending: true })
  })

  test('is searched by typing, round the end', () => {
    expect(typedAhead(items, 0, 'b')).toBe(2)
    expect(typedAhead(items, 2, 'b')).toBe(0)
    expect(typedAhead(items, 0, 'b9')).toBe(2)
    expect(typedAhead(items, 1, 'x')).toBe(1)
  })

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [123_456, '123 KB'],
    [5_600_000_000, '5.6 GB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text)
  })

  test('says the hour today, and the year when it was another', () => {
    const now = new Date(2026, 10, 21, 12).getTime()

    expect(brief(new Date(2026, 10, 21, 9, 5).getTime(), now)).toContain('05')
    expect(brief(new Date(2026, 0, 2).getTime(), now)).not.toContain('2026')
    expect(brief(new Date(2024, 0, 2).getTime(), now)).toContain('2024')
  })

  test('offers what the role allows', () => {
    expect(allowed(item('a', { role: 'viewer' }))).toEqual({ rename: false, move: false, share: false })
    expect(allowed(item('a', { role: 'editor' }))).toEqual({ rename: true, move: false, share: false })
    expect(pageOf(item('a', { kind: 'file' }))).toBeNull()
  })
})

/** A server that answers when it is told to. */
function later() {
  const sent: { file: File; folder: string | null; progress: (share: number) => void; arrive: () => void; fail: (error: ApiError) => void }[] = []
  const uploads = new Uploads((file, folder, progress) => {
    let settle = { arrive: () => {}, fail: (_: ApiError) => {} }
    const done = new Promise<{ id: string; name: string }>((resolve, reject) => {
      settle = { arrive: () => resolve({ id: `id-${file.name}`, name: file.name }), fail: reject }
    })
    sent.push({ file, folder, progress, ...settle })
    return { done, cancel: () => settle.fail(new ApiError(0, 'cancelled', 'Cancelled.')) }
  })
  const states = () => uploads.snapshot().map(({ state }) => state)
  return { uploads, sent, states }
}

const file = (name: string) => new File(['x'], name)
const settled = () => new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(resolve))))

describe('uploads', () => {
  test('go three at a time, and the next when one has arrived', async () => {
    const { uploads, sent, states } = later()
    let arrived = 0
    uploads.onArrived = () => {
      arrived += 1
    }
    uploads.add(['a', 'b', 'c', 'd'].map(file), 'f1')
    expect(states()).toEqual(['sending', 'sending', 'sending', 'waiting'])
    sent[0]?.arrive()
    await settled()

    expect(states()).toEqual(['done', 'sending', 'sending', 'sending'])
    expect(arrived).toBe(1)
    expect(sent[3]?.folder).toBe('f1')
  })

  test('tell how far they are', () => {
    const { uploads, sent } = later()
    uploads.add([file('a')], 'root')
    sent[0]?.progress(0.4)

    expect(uploads.snapshot()[0]?.share).toBe(0.4)
  })

  test('can be cancelled while they go and while they wait, and tried again', async () => {
    const { uploads, sent, states } = later()
    uploads.add(['a', 'b', 'c', 'd'].map(file), 'root')
    uploads.cancel(4)
    uploads.cancel(1)
    await settled()
    expect(states()).toEqual(['cancelled', 'sending', 'sending', 'cancelled'])
    uploads.retry(1)
    expect(states()[0]).toBe('sending')
    expect(sent).toHaveLength(4)
  })

  test('that fail say why, and stay until they are cleared', async () => {
    const { uploads, sent } = later()
    uploads.add([file('a'), file('b')], 'root')
    sent[0]?.fail(new ApiError(422, 'invalid', 'This is not a notebook.'))
    await settled()
    expect(uploads.snapshot()[0]).toMatchObject({ state: 'failed', error: 'This is not a notebook.' })
    uploads.clear()

    expect(uploads.snapshot().map(({ name }) => name)).toEqual(['b'])
  })
})
