/** How components look at a notebook: each subscribes to no more than it shows. */
import { createContext, useCallback, useContext, useMemo, useRef, useSyncExternalStore } from 'react'
import type * as Y from 'yjs'
import { useStore } from 'zustand'
import { type Facts, factsOf, metadataOf, sameFacts } from '../../model/facts'
import { metaOf } from '../../model/metadata'
import { type CellMap, cellOf } from '../../model/notebook'
import type { Section } from '../../model/sections'
import type { View } from '../../model/view'
import type { CellId } from '../../model/wire'
import type { RoomState } from '../../room/room'
import type { CellRun, SessionState } from '../../session/session'
import type { Chrome, Desk } from './desk'

export const DeskContext = createContext<Desk | null>(null)

export function useDesk(): Desk {
  const desk = useContext(DeskContext)
  if (!desk) throw new Error('useDesk belongs inside an open notebook')
  return desk
}

export const useView = <T>(select: (view: View) => T): T => useStore(useDesk().view, select)
export const useRoom = <T>(select: (state: RoomState) => T): T => useStore(useDesk().room.state, select)
export const useSession = <T>(select: (state: SessionState) => T): T => useStore(useDesk().session.state, select)
export const useChrome = <T>(select: (chrome: Chrome) => T): T => useStore(useDesk().chrome, select)

/** What every cell asks is listened to once, above them all (DeskProvider): so many listeners are most of a long notebook's memory. */
export const MayContext = createContext<ReadonlySet<string>>(new Set())
export const LanguageContext = createContext('')
/** Whether the pointer or the keys are at the cell around: what is seen only then is drawn only then. */
export const NearContext = createContext(true)
export const useMay = (what: 'write' | 'run' | 'comment'): boolean => useContext(MayContext).has(what)

export function useOrder(): readonly CellId[] {
  const { outline } = useDesk()
  return useSyncExternalStore(outline.subscribe, outline.current)
}

export function useRun(id: CellId): CellRun | undefined {
  const { session } = useDesk()
  const subscribe = useCallback((notify: () => void) => session.watch(id, notify), [session, id])
  return useSyncExternalStore(subscribe, () => session.run(id))
}

export function useCellMap(id: CellId): CellMap | undefined {
  const { room } = useDesk()
  return useMemo(() => cellOf(room.doc, id), [room, id])
}

/** Something that the notebook's own metadata says: a value that is the same as long as they say the same. */
export function useMetadata<T>(read: (doc: Y.Doc) => T): T {
  const { room } = useDesk()
  const meta = metaOf(room.doc)
  const subscribe = useCallback(
    (notify: () => void) => {
      meta.observe(notify)
      return () => meta.unobserve(notify)
    },
    [meta],
  )
  return useSyncExternalStore(subscribe, () => read(room.doc))
}

/** What the kernel speaks; without one, what the notebook says. In lower case. */
export const useLanguage = (): string => useContext(LanguageContext)

export function useKey<T>(cell: CellMap, key: string): T {
  const subscribe = useCallback(
    (notify: () => void) => {
      cell.observe(notify)
      return () => cell.unobserve(notify)
    },
    [cell],
  )
  return useSyncExternalStore(subscribe, () => cell.get(key) as T)
}

/** What a cell's metadata says of it. */
export function useFacts(cell: CellMap): Facts {
  const seen = useRef<Facts | null>(null)
  const subscribe = useCallback(
    (notify: () => void) => {
      const metadata = metadataOf(cell)
      metadata?.observe(notify)
      return () => metadata?.unobserve(notify)
    },
    [cell],
  )
  return useSyncExternalStore(subscribe, () => {
    const now = factsOf(cell)
    return (seen.current = seen.current !== null && sameFacts(seen.current, now) ? seen.current : now)
  })
}

/** Whether this person may write in this cell. */
export function useEditable(cell: CellMap): boolean {
  const { readOnly } = useFacts(cell)
  return useMay('write') && !readOnly
}

/** Whether a part of a cell is hidden here: as the notebook says, or the other way round. */
export function useHidden(id: CellId, what: 'source' | 'outputs', shared: boolean): boolean {
  return useView((view) => view.flipped.has(`${what}:${id}`)) !== shared
}

/** The cells that are on the page. */
export const useShown = (): readonly CellId[] => useStore(useDesk().folding.layout, ({ shown }) => shown)
/** The section that a cell begins. */
export const useSection = (id: CellId): Section | undefined => useStore(useDesk().folding.layout, ({ sections }) => sections.get(id))

export function useText(text: Y.Text): string {
  const seen = useRef<string | null>(null)
  const subscribe = useCallback(
    (notify: () => void) => {
      const changed = () => {
        seen.current = null
        notify()
      }
      text.observe(changed)
      return () => text.unobserve(changed)
    },
    [text],
  )
  return useSyncExternalStore(subscribe, () => (seen.current ??= text.toString()))
}
