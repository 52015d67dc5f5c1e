/** Sound, film and PDF: played, or handed over, from where they are. */
import { Download, ExternalLink, FileText } from 'lucide-react'
import { useEffect, useMemo } from 'react'
import { number } from '../i18n/formats'
import { t } from '../i18n'
import { isBlob, type MimeValue, type NotebookId } from '../model/wire'
import { type DrawnProps } from './drawn'
import { blobAddress, bytesOf } from './values'

/** Where the browser can read it from: the server, in parts, or, where the output holds all of it, memory. */
function useAddress(notebook: NotebookId, value: MimeValue, mime: string): { readonly address: string | null; readonly size: number } {
  const made = useMemo(() => {
    if (isBlob(value)) return { address: blobAddress(notebook, value.$blob), size: value.size, mine: false }
    const bytes = bytesOf(value)
    return bytes === null ? { address: null, size: 0, mine: false } : { address: URL.createObjectURL(new Blob([bytes], { type: mime })), size: bytes.length, mine: true }
  }, [notebook, value, mime])
  useEffect(() => () => {
    if (made.mine && made.address !== null) URL.revokeObjectURL(made.address)
  }, [made])
  return made
}

export default function Media({ value, notebook, mime }: DrawnProps) {
  const { address, size } = useAddress(notebook, value, mime)
  if (address === null) return <p className="output-problem">{t('This output is damaged: it is not {type}.', { type: mime })}</p>
  // biome-ignore lint/a11y/useMediaCaption: an output comes without captions
  if (mime.startsWith('video/')) return <video className="output-video" src={address} controls preload="metadata" />
  // biome-ignore lint/a11y/useMediaCaption: as above
  if (mime.startsWith('audio/')) return <audio className="output-audio" src={address} controls preload="metadata" />
  return <Document address={address} size={size} value={value} mime={mime} />
}

/** Browsers show no PDF in a sandbox, and it has no business outside of one: it is opened apart, or saved. */
function Document({ address, size, value, mime }: { address: string; size: number; value: MimeValue; mime: string }) {
  const open = async () => {
    const bytes = isBlob(value) ? await (await fetch(address, { credentials: 'same-origin' })).arrayBuffer() : bytesOf(value)
    if (bytes === null) return
    // The type is ours, so whatever the bytes are, they are never read as a page.
    const copy = URL.createObjectURL(new Blob([bytes], { type: mime }))
    window.open(copy, '_blank', 'noopener')
    setTimeout(() => URL.revokeObjectURL(copy), 60_000)
  }
  return (
    <div className="output-document">
      <FileText size={22} aria-hidden />
      <span>{t('PDF document')}, {number(Math.max(1, Math.round(size / 1000)))} KB</span>
      <button type="button" className="output-button" onClick={() => void open()}>
        <ExternalLink size={14} aria-hidden /> {t('Open in a new tab')}
      </button>
      <a className="output-button" href={address} download="output.pdf">
        <Download size={14} aria-hidden /> {t('Download')}
      </a>
    </div>
  )
}
