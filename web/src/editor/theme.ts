/** How source looks: every colour is a role of the design system, so that light and dark need no second theme. */
import { EditorView } from '@codemirror/view'

export const look = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'transparent', fontSize: 'var(--text-md)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-code)', lineHeight: '21px', overflow: 'auto hidden' },
  '.cm-content': { padding: '10px 0', caretColor: 'var(--accent)' },
  '.cm-line': { padding: '0 14px' },
  '.cm-cursor, .cm-dropCursor': { borderLeft: '2px solid var(--accent)', marginLeft: '-1px' },
  '.cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--accent) 18%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--accent) 26%, transparent)' },
  '.cm-matchingBracket, .cm-nonmatchingBracket': { backgroundColor: 'transparent' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'color-mix(in srgb, var(--ok) 22%, transparent)', borderRadius: '2px' },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'color-mix(in srgb, var(--bad) 22%, transparent)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--ink-soft)', border: 'none', fontFamily: 'var(--font-code)' },
  '.cm-placeholder': { color: 'var(--ink-soft)' },
  '.cm-ySelectionCaret': { borderLeftWidth: '1px', borderRightWidth: '1px' },
  '.cm-ySelectionInfo': {
    top: '-10px', padding: '0 5px', borderRadius: '4px 4px 4px 0', fontFamily: 'var(--font-ui)', fontSize: '10px', lineHeight: '12px', fontWeight: '500', animation: 'name-shown 3s',
  },
  '.cm-ySelectionCaretDot': { width: '7px', height: '7px', top: '-4px', left: '-3.5px' },
})

/** Tooltips live in the body, above everything, because a far cell clips what leaves its box. */
export const tooltipLook = EditorView.theme({
  '.cm-tooltip': {
    backgroundColor: 'var(--surface-raised)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: 'var(--radius-sm)', boxShadow: 'var(--shadow)', zIndex: '40', overflow: 'hidden',
  },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--font-code)', fontSize: '13px', maxHeight: '15em' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px 3px 6px !important', lineHeight: '19px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent-soft) !important', color: 'var(--ink) !important' },
  '.cm-completionMatchedText': { textDecoration: 'none', color: 'var(--accent)', fontWeight: '600' },
  '.cm-inspection': { maxWidth: 'min(640px, 90vw)', maxHeight: '320px', overflow: 'auto', padding: '10px 14px', font: '13px/19px var(--font-code)', whiteSpace: 'pre-wrap' },
})
