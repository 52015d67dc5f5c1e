/** Vega and Vega-Lite charts, as Altair makes them. */
import embed, { type EmbedOptions, type VisualizationSpec } from 'vega-embed'

export async function draw(spec: VisualizationSpec, into: HTMLElement): Promise<void> {
  const box = document.createElement('div')
  into.append(box)
  const options: EmbedOptions = { actions: { export: true, source: false, compiled: false, editor: false }, renderer: 'canvas' }
  await embed(box, spec, options)
}

/**
 * Makes `vegaEmbed` known to Altair's own HTML, which would fetch it from elsewhere. That HTML skips what it finds
 * named, with its version, in `VEGA_DEBUG`.
 */
export function provide(code: string): void {
  const globals = window as unknown as { VEGA_DEBUG?: Record<string, string>; vegaEmbed?: unknown }
  globals.vegaEmbed ??= embed
  globals.VEGA_DEBUG ??= {}
  for (const [, library = '', version = ''] of code.matchAll(/maybeLoadScript\("([\w-]{1,20})", "([^"]{1,20})"\)/g)) globals.VEGA_DEBUG[`${library.replace('-', '')}_version`] = version
}
