/** What is said and not yet sent: never lost, never said twice, and honest about it. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Thread } from './api'
import { Comments, NEW } from './store'

const ME = 'me'
const place = { cell: 'a', quote: 'x', before: '', after: '' }

function thread(id: string, ...texts: readonly string[]): Thread {
  const by = { id: ME, name: 'Me', color: '#000000' }
  const comments = texts.map((text, at) => ({ id: `${id}-${at}`, by, text, mentions: [], at, edited_at: null, deleted: false }))
  return { id, number: 1, place, resolved_at: null, resolved_by: null, comments } as Thread
}

/** A server that answers each request in turn. */
function answers(...turns: readonly (object | number | 'offline')[]): { readonly bodies: { draft?: string }[] } {
  const bodies: { draft?: string }[] = []
  const waiting = [...turns]
  vi.stubGlobal('fetch', (_address: string, { body }: RequestInit) => {
    if (typeof body === 'string') bodies.push(JSON.parse(body) as { draft?: string })
    const turn = waiting.shift() ?? 500
    if (turn === 'offline') return Promise.reject(new TypeError('no network'))
    return Promise.resolve(typeof turn === 'number' ? new Response('{"detail":"No."}', { status: turn }) : new Response(JSON.stringify(turn)))
  })
  return { bodies }
}

const settled = () => new Promise((done) => setTimeout(done))

afterEach(() => {
  vi.unstubAllGlobals()
  sessionStorage.clear()
})

describe('comments', () => {
  it('that were not taken stay with the reason, and are sent again under the same name', async () => {
    const { bodies } = answers('offline', { thread: thread('t', 'hello'), unreached: ['eve@example.org'] })
    const comments = new Comments('n', ME)
    comments.begin(place)
    comments.say(NEW, 'hello')
    expect(comments.state.getState().unsent).toMatchObject([{ text: 'hello', failed: null }])
    await settled()
    const [one] = comments.state.getState().unsent
    expect(one!.failed).toContain('cannot be reached')

    comments.again(one!.draft)
    await settled()
    expect(comments.state.getState().unsent).toEqual([])
    expect(comments.state.getState().focused).toBe('t')
    expect(comments.state.getState().unreached.get('t')).toEqual({ comment: 't-0', addresses: ['eve@example.org'] })
    expect(bodies[0]!.draft).toBe(bodies[1]!.draft)
  })

  it('outlive the panel and the page', async () => {
    answers('offline')
    const before = new Comments('n', ME)
    before.begin(place)
    before.write(NEW, 'half')
    before.write('t', 'a reply')
    before.say('u', 'unsent')
    await settled()
    before.close()

    const after = new Comments('n', ME)
    expect(after.draft(NEW)).toBe('half')
    expect(after.draft('t')).toBe('a reply')
    expect(after.state.getState().begun).toEqual(place)
    expect(after.state.getState().unsent).toMatchObject([{ thread: 'u', text: 'unsent' }])
    expect(new Comments('n', 'somebody else').draft(NEW)).toBe('')
  })

  it('that are gone from the server go from the page', async () => {
    answers({ threads: [thread('t', 'x'), thread('u', 'y')], more: null }, 404)
    const comments = new Comments('n', ME)
    await comments.load()
    comments.changed('t')
    await settled()

    expect([...comments.state.getState().threads.keys()]).toEqual(['u'])
  })

  it('that one may not read are not shown', async () => {
    answers(403)
    const comments = new Comments('n', ME)
    await comments.load()

    expect(comments.state.getState().state).toBe('refused')
  })
})
