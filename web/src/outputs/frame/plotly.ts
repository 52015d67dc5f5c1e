/** Plotly figures, drawn by a Plotly that comes with Collegium. */

interface Plotly {
  newPlot(into: HTMLElement, data: unknown, layout: unknown, config: unknown): Promise<unknown>
  addFrames(into: HTMLElement, frames: unknown): Promise<unknown>
}

let loading: Promise<Plotly> | undefined

function load(): Promise<Plotly> {
  loading ??= import('plotly.js-dist-min').then((module) => (module as unknown as { default: Plotly }).default)
  return loading
}

/** Makes `Plotly` known to scripts that expect it from elsewhere. */
export async function provide(): Promise<void> {
  const plotly = await load()
  ;(window as unknown as { Plotly?: Plotly }).Plotly ??= plotly
}

interface Figure {
  readonly data?: unknown
  readonly layout?: Readonly<Record<string, unknown>>
  readonly config?: Readonly<Record<string, unknown>>
  readonly frames?: readonly unknown[]
}

export async function draw(figure: Figure, into: HTMLElement): Promise<void> {
  const plotly = await load()
  const box = document.createElement('div')
  into.append(box)
  await plotly.newPlot(box, figure.data ?? [], { autosize: true, ...figure.layout }, { responsive: true, displaylogo: false, ...figure.config })
  if (figure.frames && figure.frames.length > 0) await plotly.addFrames(box, figure.frames)
}
