/** Widgets in an output frame, loaded when the first is to be drawn. */
import '@lumino/widgets/style/index.css'
import '@jupyter-widgets/controls/css/labvariables.css'
import '@jupyter-widgets/controls/css/widgets-base.css'
import './widgets.css'
import * as base from '@jupyter-widgets/base'
import * as controls from '@jupyter-widgets/controls'
import { MessageLoop } from '@lumino/messaging'
import { Widget } from '@lumino/widgets'
import type { FrameItem, FrameModel } from '../../widgets/items'
import { call } from '../calls'
import { Modules } from './amd'
import { FrameManager } from './manager'
import { type Draw, drawWith, OutputModel, OutputView } from './output'

const modules = new Modules(async (path) => String(await call('nbextension', path)))
const manager = new FrameManager(
  {
    models: async (ids) => (await call('models', ids)) as readonly FrameModel[],
    send: (sent) => void call('say', sent).catch((error: unknown) => refused(sent.message, error)),
  },
  modules,
)
for (const [name, value] of Object.entries({ base, controls, output: { OutputModel, OutputView } })) modules.provide(`@jupyter-widgets/${name}`, value)

interface Place {
  readonly id: string
  readonly box: HTMLElement
  readonly note: HTMLElement
}
const places = new Set<Place>()

/** Icons are heavy, and few widgets have any. */
const looking = new MutationObserver(() => {
  if (document.querySelector('.fa, .fas, .far') === null) return
  looking.disconnect()
  void import('./icons')
})
looking.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['class'] })

/** Draws a model's view. `draw`: how the outputs of an Output widget are drawn. */
export async function show(id: string, into: HTMLElement, draw: Draw): Promise<void> {
  drawWith(draw)
  const model = (await manager.get_model(id)) as base.DOMWidgetModel
  const view = await manager.create_view(model)
  const box = document.createElement('div')
  box.className = 'widget-box'
  const note = document.createElement('p')
  note.className = 'widget-note'
  into.append(box, note)
  Widget.attach(view.luminoWidget, box)
  const place = { id, box, note }
  places.add(place)
  await settle(place)
  const resized = () => MessageLoop.postMessage(view.luminoWidget, Widget.ResizeMessage.UnknownSize)
  new ResizeObserver(resized).observe(box)
}

export function heard(items: readonly FrameItem[]): void {
  for (const item of items) {
    if ('done' in item && item.refused !== undefined) say(item.refused)
    manager.heard(item)
  }
  if (items.some((item) => 'gone' in item)) for (const place of places) void settle(place)
}

/** What cannot be moved looks so, and says why. */
async function settle({ id, box, note }: Place): Promise<void> {
  const live = await manager.isLive(id)
  const may = live && (await call('mayMove').catch(() => false)) === true
  box.inert = !may
  box.toggleAttribute('data-gone', !live)
  if (!may) release()
  note.textContent = live ? (may ? '' : 'You may look at this widget, and not move it.') : 'The kernel of this widget is gone. Run the cell again to use it.'
}

/** Who is pulling a handle lets go of it: what it would show from here on, nobody else has. */
function release(): void {
  for (const name of ['pointerup', 'mouseup', 'touchend']) document.documentElement.dispatchEvent(new Event(name, { bubbles: true }))
}

function refused(message: string, error: unknown): void {
  say(error instanceof Error ? error.message : String(error))
  manager.heard({ done: message })
}

function say(words: string): void {
  for (const { note } of places) note.textContent = words
}
