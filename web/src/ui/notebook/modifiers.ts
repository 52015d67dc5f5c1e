/**
 * Which modifiers were pressed in this page. An output that has the keyboard can hand it over while Ctrl is down ("press
 * Ctrl+Enter to go on"), and the second half of the stroke would run a cell: such a stroke means nothing here.
 */

export interface Held {
  readonly ctrlKey: boolean
  readonly shiftKey: boolean
  readonly altKey: boolean
  readonly metaKey: boolean
}

export class Modifiers {
  private readonly down = new Set<string>()
  private foreign = false

  /** The page has lost the keyboard; `toOutput`: to an output of its own. */
  lost(toOutput: boolean): void {
    this.down.clear()
    this.foreign = toOutput
  }

  /** An output took the keyboard, and the page took it back at once: what is held here is held still. */
  robbed(): void {
    this.foreign = true
  }

  pressed(key: string): void {
    this.down.add(key)
  }

  released(key: string): void {
    this.down.delete(key)
  }

  /** Whether all modifiers that are held with this stroke were pressed here, if the keyboard comes from an output. */
  own(press: Held): boolean {
    const held = [press.ctrlKey && 'Control', press.shiftKey && 'Shift', press.altKey && 'Alt', press.metaKey && 'Meta'].filter((name) => name !== false)
    if (this.foreign) this.foreign = !held.every((name) => this.down.has(name))
    return !this.foreign
  }
}
