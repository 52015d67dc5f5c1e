/** Mermaid diagrams, each kind drawn by a part that comes when it is first needed. */
import mermaid from 'mermaid'

let number = 0

function configure(): void {
  const dark = document.documentElement.dataset.theme === 'dark'
  mermaid.initialize({ startOnLoad: false, securityLevel: 'strict', suppressErrorRendering: true, theme: dark ? 'dark' : 'neutral', darkMode: dark, fontFamily: 'var(--font-ui)', maxTextSize: 50_000 })
}

export async function draw(source: string, into: HTMLElement): Promise<void> {
  const box = document.createElement('div')
  box.className = 'diagram'
  into.append(box)
  const show = async () => {
    configure()
    const { svg } = await mermaid.render(`diagram-${++number}`, source)
    box.innerHTML = svg
  }
  try {
    await show()
  } catch (error) {
    const note = document.createElement('pre')
    note.className = 'failed'
    note.textContent = `${source.trim()}\n\nThis diagram could not be drawn: ${error instanceof Error ? error.message : String(error)}`
    box.replaceChildren(note)
    return
  }
  // Its colours are in it, so another theme takes another drawing.
  new MutationObserver(() => void show()).observe(document.documentElement, { attributeFilter: ['data-theme'] })
}
