/** The Output widget: its model holds outputs that the server gathered, and this frame draws them. */
import { DOMWidgetView } from '@jupyter-widgets/base'
import { OutputModel } from '@jupyter-widgets/output'
import type { Output } from '../../../model/wire'

export { OutputModel }
export type Draw = (output: Output, into: HTMLElement) => Promise<void>

let draw: Draw = () => Promise.resolve()

export function drawWith(how: Draw): void {
  draw = how
}

export class OutputView extends DOMWidgetView {
  private shown: { readonly text: string; readonly box: HTMLElement }[] = []
  private turn: Promise<unknown> = Promise.resolve()

  override render(): void {
    super.render()
    this.el.classList.add('jupyter-widgets-output')
    this.listenTo(this.model, 'change:outputs', () => this.show())
    // What it holds may be widgets, which only join a document.
    this.turn = this.displayed
    this.show()
  }

  private show(): void {
    this.turn = this.turn.then(() => this.draw((this.model.get('outputs') as readonly Output[]) ?? []))
  }

  /** What is the same stays; what follows the first difference is drawn anew. */
  private async draw(outputs: readonly Output[]): Promise<void> {
    const texts = outputs.map((output) => JSON.stringify(output))
    let same = 0
    while (same < texts.length && this.shown[same]?.text === texts[same]) same += 1
    const old = this.shown.splice(same)
    const fresh: HTMLElement[] = []
    for (const [index, output] of outputs.entries()) {
      if (index < same) continue
      const box = document.createElement('div')
      box.className = 'out'
      box.hidden = true
      this.el.append(box)
      await draw(output, box)
      fresh.push(box)
      this.shown.push({ text: texts[index] as string, box })
    }
    // At once, so that what is replaced does not flicker.
    for (const { box } of old) box.remove()
    for (const box of fresh) box.hidden = false
  }
}
