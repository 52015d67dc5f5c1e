// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { FromServer, ToServer, WidgetModel } from '../../model/wire'
import type { Around } from './around'
import type { FrameItem } from './items'
import { Plane } from './plane'

const MODEL: WidgetModel = { id: 'm', target: 'jupyter.widget', live: true, state: { value: 1 } }
const LARGE: WidgetModel = { ...MODEL, large: { text: { sha256: 'f00', size: 9 } } }

describe('a frame that joins', () => {
  let heard: (message: FromServer) => void
  const said: ToServer[] = []
  const fetched: ((value: unknown) => void)[] = []
  let plane: Plane
  let turn = 0

  beforeEach(() => {
    vi.stubGlobal('fetch', () => new Promise((done) => fetched.push((value) => done({ ok: true, json: async () => value }))))
    const wire = {
      send: (message: ToServer) => said.push(message) > 0,
      listen: (hear: (message: FromServer) => void) => {
        heard = hear
        return () => {}
      },
    }
    plane = new Plane({ notebook: 'n', wire, me: 'me', saved: () => null, mayRun: () => true } as Around)
  })

  afterEach(() => {
    plane.close()
    said.splice(0)
    fetched.splice(0)
    vi.unstubAllGlobals()
  })

  /** A frame that asks for the model; what it is given and told, in order. */
  function joins(until = new AbortController().signal): unknown[] {
    const got: unknown[] = []
    void plane
      .join((items: readonly FrameItem[]) => got.push(...items), 'e', until)
      .models(['m'])
      .then((models) => got.push({ models }))
    return got
  }

  const finds = (model: WidgetModel) => {
    const asked = said.findLast(({ type }) => type === 'widget_models') as Extract<ToServer, { type: 'widget_models' }>
    heard({ type: 'widget_models', request: asked.request, models: [model], missing: [] })
  }
  const changes = (value: number) => heard({ type: 'widget_updates', n: ++turn, items: [{ id: 'm', state: { value } }] })
  const settled = () => new Promise((done) => setTimeout(done, 5))

  test('is told what happened meanwhile, after it was given the models', async () => {
    const got = joins()
    finds(LARGE)
    await settled()
    changes(2)
    await settled()
    expect(got).toEqual([])
    fetched[0]?.('long')
    await settled()

    expect(got).toMatchObject([{ models: [{ id: 'm', state: { value: 1, text: 'long' } }] }, { id: 'm', state: { value: 2 } }])
    expect(said).toContainEqual({ type: 'widgets_read', n: turn })
  })

  test('is told at once of what happens right behind the answer', async () => {
    const got = joins()
    finds(MODEL)
    changes(2)
    await settled()
    changes(3)
    await settled()

    expect(got).toMatchObject([{ models: [{ state: { value: 1 } }] }, { state: { value: 2 } }, { state: { value: 3 } }])
  })

  test('keeps nobody else waiting', async () => {
    const first = joins()
    finds(MODEL)
    await settled()
    const second = joins()
    finds(LARGE)
    await settled()
    changes(2)
    await settled()

    expect(first).toMatchObject([{ models: [{ id: 'm' }] }, { state: { value: 2 } }])
    expect(second).toEqual([])
  })

  test('and leaves before it is answered lets the models go', async () => {
    const leaving = new AbortController()
    joins(leaving.signal)
    leaving.abort()
    finds(MODEL)
    await settled()

    expect(said.at(-1)).toEqual({ type: 'widgets_dropped', models: ['m'] })
  })
})
