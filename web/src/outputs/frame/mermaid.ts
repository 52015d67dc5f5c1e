/** Mermaid diagrams, each kind drawn by a part that comes when it is first needed. */
import mermaid from 'mermaid'

let number = 0

function configure(): void {
  const darkMode = document.documentElement.dataset.theme === 'dark'
  mermaid.initialize({ startOnLoad: false, securityLevel: 'strict', suppressErrorRendering: true, theme: 'base', darkMode, fontFamily: 'var(--font-ui)', maxTextSize: 50_000, themeCSS: '.node rect { rx: 8px; ry: 8px }', themeVariables: { darkMode, fontSize: '15px', ...colours() } })
}

/** The page's own colours. Mermaid makes others of them, and so takes no names. */
function colours(): Record<string, string> {
  const probe = document.body.appendChild(document.createElement('i'))
  const of = (role: string) => {
    probe.style.color = `var(--${role})`
    return getComputedStyle(probe).color
  }
  const [surface, cell, accent, soft, ink, inkSoft, line] = ['surface', 'surface-cell', 'accent', 'accent-soft', 'ink', 'ink-soft', 'line'].map(of) as [string, string, string, string, string, string, string]
  probe.remove()
  return {
    background: surface, mainBkg: soft, primaryColor: soft, primaryTextColor: ink, primaryBorderColor: accent, nodeBorder: accent,
    secondaryColor: cell, secondaryTextColor: ink, secondaryBorderColor: line, tertiaryColor: cell, tertiaryTextColor: ink, tertiaryBorderColor: line,
    lineColor: inkSoft, textColor: ink, titleColor: ink, edgeLabelBackground: surface, clusterBkg: cell, clusterBorder: line,
    noteBkgColor: cell, noteTextColor: ink, noteBorderColor: line, actorLineColor: line, dropShadow: 'none',
  }
}

export async function draw(source: string, into: HTMLElement): Promise<void> {
  const box = document.createElement('div')
  box.className = 'diagram'
  into.append(box)
  const show = async () => {
    configure()
    // It is measured while it is drawn: where nobody sees the halves of it.
    const bench = document.body.appendChild(document.createElement('div'))
    bench.style.cssText = 'position: absolute; inset: 0 0 auto; height: 0; overflow: hidden; visibility: hidden'
    try {
      box.innerHTML = (await mermaid.render(`diagram-${++number}`, source, bench)).svg
    } finally {
      bench.remove()
    }
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
