/** What widgets in outputs need of an open notebook. */
import type { Around } from '../../outputs/widgets/around'
import type { Desk } from './desk'

const known = new WeakMap<Desk, Around>()

export function aroundOf(desk: Desk): Around {
  let around = known.get(desk)
  if (!around) {
    around = { notebook: desk.id, wire: desk.room, me: desk.me.id, saved: () => desk.room.doc.getMap('meta').get('md:widgets'), mayRun: () => desk.may('run') }
    known.set(desk, around)
  }
  return around
}
