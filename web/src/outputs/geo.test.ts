import { geoArea } from 'd3-geo'
import { describe, expect, test } from 'vitest'
import { featuresOf, SHAPES_MAX, spanOf } from './geo'

const point = (x: number, y: number) => ({ type: 'Point', coordinates: [x, y] })
const feature = (geometry: unknown, properties: unknown = {}) => ({ type: 'Feature', geometry, properties })

describe('GeoJSON', () => {
  test('of every kind becomes shapes, with the names they have', () => {
    const shapes = featuresOf({
      type: 'FeatureCollection',
      features: [
        feature(point(8, 50), { name: 'Here' }),
        feature({ type: 'Polygon', coordinates: [[[0, 0], [1, 0], [1, 1], [0, 0]]] }),
        feature({ type: 'GeometryCollection', geometries: [{ type: 'LineString', coordinates: [[0, 0], [2, 2]] }] }),
        feature(null),
      ],
    })

    expect(shapes?.map(({ geometry, name }) => [geometry.type, name])).toEqual([['Point', 'Here'], ['Polygon', null], ['LineString', null]])
    expect(spanOf(shapes ?? [])).toEqual({ west: 0, south: 0, east: 8, north: 50 })
  })

  test.each([
    ['as RFC 7946 wants it', [[5, 45], [15, 45], [15, 55], [5, 55], [5, 45]]],
    ['the other way', [[5, 45], [5, 55], [15, 55], [15, 45], [5, 45]]],
  ])('with a ring %s is the shape, not the rest of the globe', (_, ring) => {
    const [shape] = featuresOf({ type: 'Polygon', coordinates: [ring] }) ?? []

    expect(geoArea(shape!.geometry)).toBeLessThan(0.1)
  })

  test('as text or as a lone geometry is read too', () => {
    expect(featuresOf(JSON.stringify(point(1, 2)))).toHaveLength(1)
  })

  test.each([null, 7, 'x', {}, { type: 'Point', coordinates: ['a', 'b'] }, { type: 'Point', coordinates: [0, 1e9] }, { type: 'constructor', coordinates: [] }, { type: 'Polygon', coordinates: [[['<b>']]] }])(
    'that cannot be drawn is none: %o',
    (value) => {
      expect(featuresOf(value)).toBeNull()
    },
  )

  test('is bounded', () => {
    expect(featuresOf({ type: 'FeatureCollection', features: Array.from({ length: SHAPES_MAX + 10 }, () => feature(point(0, 0))) })).toHaveLength(SHAPES_MAX)
  })
})
