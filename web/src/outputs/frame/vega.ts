/** Vega and Vega-Lite charts, as Altair makes them. */
import embed, { type EmbedOptions, type VisualizationSpec } from 'vega-embed'

export async function draw(spec: VisualizationSpec, into: HTMLElement): Promise<void> {
  const box = document.createElement('div')
  into.append(box)
  const options: EmbedOptions = { actions: { export: true, source: false, compiled: false, editor: false }, renderer: 'canvas' }
  await embed(box, spec, options)
}
