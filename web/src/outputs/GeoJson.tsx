/** application/geo+json: the shapes on a plain map, drawn here. No tiles are asked of anybody. */
import { geoEquirectangular, geoGraticule10, geoMercator, geoPath } from 'd3-geo'
import { useMemo, useState } from 'react'
import { t, tn } from '../i18n'
import { isBlob } from '../model/wire'
import { type DrawnProps, Waiting } from './drawn'
import { featuresOf, type Shape, spanOf } from './geo'
import { JsonTree } from './JsonTree'
import { TEXT_SHOWN_MAX, useText } from './values'

const WIDTH = 720
const HEIGHT = 420
const MARGIN = 16
/** Mercator has no poles; what reaches near them is drawn flat. */
const LATITUDE_MERCATOR_MAX = 80

export default function GeoJson({ value, notebook }: DrawnProps) {
  const text = useText(notebook, value, 8 * TEXT_SHOWN_MAX)
  const source = text.state === 'ready' ? text.text : null
  const shapes = useMemo(() => (source === null ? null : featuresOf(isBlob(value) || typeof value === 'string' ? source : value)), [source, value])
  if (text.state !== 'ready') return <Waiting text={text} />
  if (shapes === null) return <pre className="output-plain">{text.text.slice(0, 20_000)}</pre>
  return <Map shapes={shapes} />
}

function Map({ shapes }: { shapes: readonly Shape[] }) {
  const [chosen, setChosen] = useState<Shape | null>(null)
  const drawn = useMemo(() => {
    const all = { type: 'FeatureCollection', features: shapes.map((properties) => ({ type: 'Feature' as const, geometry: properties.geometry, properties: {} })) } as const
    const span = spanOf(shapes)
    const projection = (span.north > LATITUDE_MERCATOR_MAX || span.south < -LATITUDE_MERCATOR_MAX ? geoEquirectangular() : geoMercator()).fitExtent([[MARGIN, MARGIN], [WIDTH - MARGIN, HEIGHT - MARGIN]], all)
    // One point has no extent to fit: a town's worth of land around it.
    if (span.north === span.south && span.east === span.west) projection.scale(60_000).center([span.west, span.south]).translate([WIDTH / 2, HEIGHT / 2])
    const path = geoPath(projection).pointRadius(4.5)
    return { grid: path(geoGraticule10()) ?? '', paths: shapes.map(({ geometry }) => path(geometry) ?? '') }
  }, [shapes])
  return (
    <figure className="output-map">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={tn('Map with {count} shape', 'Map with {count} shapes', shapes.length)}>
        <path className="map-grid" d={drawn.grid} />
        {shapes.map((shape, at) => (
          <path key={at} className={`${/Line/.test(shape.geometry.type) ? 'map-line' : 'map-shape'}${shape === chosen ? ' map-chosen' : ''}`} d={drawn.paths[at]} onClick={() => setChosen(shape === chosen ? null : shape)}>
            {shape.name !== null && <title>{shape.name}</title>}
          </path>
        ))}
      </svg>
      <figcaption className="output-hint">{tn('{count} shape', '{count} shapes', shapes.length)}{chosen === null ? ` · ${t('Press one to see its properties')}` : ''}</figcaption>
      {chosen !== null && <JsonTree value={chosen.properties} />}
    </figure>
  )
}
