/** Buttons that write Markdown for those who do not know it by heart, and where its preview stands. */
import { Bold, Code, Columns2, Eye, EyeOff, Heading, Image, Italic, Link, List, ListOrdered, ListTodo, type LucideIcon, Minus, Rows2, Sigma, Strikethrough, Table, TextQuote, Workflow } from 'lucide-react'
import { t } from '../../i18n'
import type { CellId } from '../../model/wire'
import { FORMATTING } from '../commands/formatting'
import { useDesk } from './hooks'
import { previewed, type Preview, usePreview } from './preview'

const ICONS: Readonly<Record<string, LucideIcon>> = {
  'format-heading': Heading, 'format-bold': Bold, 'format-italic': Italic, 'format-strike': Strikethrough, 'format-code': Code, 'format-link': Link, 'format-image': Image, 'format-quote': TextQuote,
  'format-numbered': ListOrdered, 'format-list': List, 'format-todo': ListTodo, 'format-table': Table, 'format-rule': Minus, 'format-formula': Sigma, 'format-diagram': Workflow,
}
const PREVIEWS: Readonly<Record<Preview, { readonly name: string; readonly icon: LucideIcon; readonly next: Preview }>> = {
  beside: { name: 'Preview beside the text', icon: Columns2, next: 'below' },
  below: { name: 'Preview below the text', icon: Rows2, next: 'none' },
  none: { name: 'No preview', icon: EyeOff, next: 'beside' },
}

export default function TextTools({ id }: { id: CellId }) {
  const desk = useDesk()
  const preview = usePreview()
  const { name, icon: Shown, next } = PREVIEWS[preview]
  return (
    <div className="text-tools" role="toolbar" aria-label={t('Formatting')}>
      {FORMATTING.map(({ id: command, name, run, enabled }) => {
        const Icon = ICONS[command] ?? Eye
        const label = t(name.replace('…', ''))
        return (
          <button
            key={command}
            type="button"
            className="text-tool"
            aria-label={label}
            title={label}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => {
              desk.act({ do: 'focus', cell: id, editing: true })
              if (enabled!(desk)) run(desk)
            }}
          >
            <Icon size={16} aria-hidden />
          </button>
        )
      })}
      <span className="text-tools-gap" />
      <button type="button" className="text-tool" aria-label={t(name)} title={t(name)} onMouseDown={(event) => event.preventDefault()} onClick={() => previewed(next)}>
        <Shown size={16} aria-hidden />
      </button>
    </div>
  )
}
