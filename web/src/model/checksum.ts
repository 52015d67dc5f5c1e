/** The fingerprint by which a tab and the server notice that their documents have drifted apart. */
import type * as Y from 'yjs'
import { type CellMap, isCell } from './notebook'

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1
  return n
})

export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

export function checksum(doc: Y.Doc): string {
  const cells = doc.getMap<CellMap>('cells')
  let text = ''
  for (const id of [...cells.keys()].sort((a, b) => (a < b ? -1 : 1))) {
    const cell = cells.get(id)!
    if (!isCell(cell)) continue
    const fields = [id, cell.get('t'), cell.get('pos'), cell.get('del') ? '1' : '0', cell.get('source')]
    for (const field of fields) text += `${String(field)}\0`
  }
  return crc32(new TextEncoder().encode(text)).toString(16).padStart(8, '0')
}
