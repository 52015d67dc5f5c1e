/** GeoJSON (RFC 7946) as a stranger sent it: what of it can be drawn. */
import type { GeoPermissibleObjects } from 'd3-geo'

export type Geometry = Extract<GeoPermissibleObjects, { type: 'Point' | 'MultiPoint' | 'LineString' | 'MultiLineString' | 'Polygon' | 'MultiPolygon' }>

export interface Shape {
  readonly geometry: Geometry
  readonly properties: unknown
  readonly name: string | null
}

export const SHAPES_MAX = 5000
const POSITIONS_MAX = 400_000
const DEPTHS: Readonly<Record<string, number>> = { Point: 0, MultiPoint: 1, LineString: 1, MultiLineString: 2, Polygon: 2, MultiPolygon: 3 }

/** The shapes of a collection, a feature or a geometry; null when it is none of them. */
export function featuresOf(value: unknown): readonly Shape[] | null {
  let root = value
  if (typeof value === 'string') {
    try {
      root = JSON.parse(value)
    } catch {
      // Cut short, or not JSON: no map.
      return null
    }
  }
  const shapes: Shape[] = []
  const budget = { left: POSITIONS_MAX }
  gather(root, {}, shapes, budget)
  return shapes.length > 0 ? shapes : null
}

function gather(value: unknown, properties: unknown, shapes: Shape[], budget: { left: number }): void {
  if (typeof value !== 'object' || value === null || shapes.length >= SHAPES_MAX) return
  const { type, features, geometry, geometries, coordinates, properties: own } = value as Record<string, unknown>
  if (type === 'FeatureCollection' && Array.isArray(features)) for (const one of features) gather(one, {}, shapes, budget)
  else if (type === 'Feature') gather(geometry, own, shapes, budget)
  else if (type === 'GeometryCollection' && Array.isArray(geometries)) for (const one of geometries) gather(one, properties, shapes, budget)
  else if (typeof type === 'string' && Object.hasOwn(DEPTHS, type) && sound(coordinates, DEPTHS[type] as number, budget)) shapes.push({ geometry: { type, coordinates: wound(type, coordinates) } as unknown as Geometry, properties, name: nameOf(properties) })
}

/** Positions at this depth, all of them on the globe, and none more than may be drawn. */
function sound(value: unknown, depth: number, budget: { left: number }): boolean {
  if (!Array.isArray(value)) return false
  if (depth > 0) return value.every((one) => sound(one, depth - 1, budget))
  budget.left -= 1
  const [longitude, latitude] = value as unknown[]
  return budget.left >= 0 && typeof longitude === 'number' && Math.abs(longitude) <= 540 && typeof latitude === 'number' && Math.abs(latitude) <= 90
}

type Ring = readonly (readonly [number, number])[]

/**
 * Polygons with their outer rings clockwise, as d3-geo reads them: RFC 7946 wants the opposite, older files have either,
 * and a ring read the wrong way is all of the globe but the shape.
 */
function wound(type: string, coordinates: unknown): unknown {
  if (type === 'Polygon') return turned(coordinates as readonly Ring[])
  return type === 'MultiPolygon' ? (coordinates as readonly (readonly Ring[])[]).map(turned) : coordinates
}

const turned = (rings: readonly Ring[]): readonly Ring[] => rings.map((ring, at) => (isClockwise(ring) === (at === 0) ? ring : ring.toReversed()))

function isClockwise(ring: Ring): boolean {
  let doubled = 0
  ring.forEach(([x, y], at) => {
    const [nextX, nextY] = ring[(at + 1) % ring.length] as readonly [number, number]
    doubled += (nextX - x) * (nextY + y)
  })
  return doubled > 0
}

function nameOf(properties: unknown): string | null {
  if (typeof properties !== 'object' || properties === null) return null
  const found = Object.entries(properties).find(([key, value]) => /^(?:name|title|label|id)$/i.test(key) && (typeof value === 'string' || typeof value === 'number'))
  return found ? String(found[1]).slice(0, 200) : null
}

export interface Span {
  readonly west: number
  readonly south: number
  readonly east: number
  readonly north: number
}

export function spanOf(shapes: readonly Shape[]): Span {
  let [west, south, east, north] = [540, 90, -540, -90]
  const look = (value: unknown): void => {
    if (!Array.isArray(value)) return
    if (typeof value[0] !== 'number') return value.forEach(look)
    const [x, y] = value as [number, number]
    west = Math.min(west, x)
    east = Math.max(east, x)
    south = Math.min(south, y)
    north = Math.max(north, y)
  }
  for (const { geometry } of shapes) look(geometry.coordinates)
  return { west, south, east, north }
}
