/** Two texts beside each other, or in one: what went and what came, line by line and word by word. */
import { syntaxHighlighting } from '@codemirror/language'
import { MergeView, unifiedMergeView } from '@codemirror/merge'
import { EditorState, type Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import { useLayoutEffect, useRef } from 'react'
import { t } from '../../i18n'
import type { Grammar } from '../../editor/editor'
import { python } from '../../editor/python'
import { look } from '../../editor/theme'
import { unseenMarked } from '../../editor/unseen'

export type Layout = 'beside' | 'inline'

interface SourceDiffProps {
  readonly before: string
  readonly after: string
  readonly grammar: Grammar
  readonly layout: Layout
}

/** What may be compared is bounded: two large texts that have nothing in common would hold the page up. */
const DIFF = { scanLimit: 500, timeout: 200 }

const changed = EditorView.theme({
  '&.cm-merge-a .cm-changedLine, .cm-deletedChunk': { backgroundColor: 'color-mix(in srgb, var(--bad) 8%, transparent)' },
  '&.cm-merge-b .cm-changedLine, .cm-insertedLine, &.cm-merge-b .cm-insertedLine': { backgroundColor: 'color-mix(in srgb, var(--ok) 9%, transparent)' },
  '&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText': { background: 'color-mix(in srgb, var(--bad) 14%, transparent)', boxShadow: 'inset 0 -2px 0 var(--bad)', borderRadius: '2px' },
  '&.cm-merge-b .cm-changedText': { background: 'color-mix(in srgb, var(--ok) 16%, transparent)', boxShadow: 'inset 0 -2px 0 var(--ok)', borderRadius: '2px' },
  '.cm-changeGutter': { width: '3px', paddingLeft: '0' },
  '.cm-deletedChunk': { paddingLeft: '14px', fontFamily: 'var(--font-code)' },
  '.cm-scroller': { overflow: 'auto' },
})

const read = (grammar: Grammar, name: string): Extension[] => [
  EditorState.readOnly.of(true),
  EditorView.editable.of(false),
  EditorView.contentAttributes.of({ 'aria-label': name, tabindex: '0' }),
  EditorState.tabSize.of(4),
  EditorView.lineWrapping,
  syntaxHighlighting(classHighlighter),
  grammar === 'python' ? python() : [],
  look,
  unseenMarked,
  changed,
]

export function SourceDiff({ before, after, grammar, layout }: SourceDiffProps) {
  const host = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const parent = host.current!
    if (layout === 'beside') {
      const view = new MergeView({
        parent,
        a: { doc: before, extensions: read(grammar, t('Source before')) },
        b: { doc: after, extensions: read(grammar, t('Source after')) },
        diffConfig: DIFF,
        gutter: false,
        collapseUnchanged: { margin: 3, minSize: 6 },
      })
      return () => view.destroy()
    }
    const view = new EditorView({
      parent,
      doc: after,
      extensions: [
        ...read(grammar, t('Source with its changes')),
        unifiedMergeView({ original: before, mergeControls: false, diffConfig: DIFF, gutter: false, collapseUnchanged: { margin: 3, minSize: 6 } }),
      ],
    })
    return () => view.destroy()
  }, [before, after, grammar, layout])
  return <div className={`source source-diff source-diff-${layout}`} ref={host} />
}
