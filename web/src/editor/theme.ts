/** How source looks: every colour is a role of the design system, so that light and dark need no second theme. */
import { EditorView } from '@codemirror/view'

export const look = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'transparent', fontSize: 'var(--code-size)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--code-font)', fontVariantLigatures: 'var(--code-ligatures)', lineHeight: 'var(--code-line)', overflow: 'auto hidden', clipPath: 'inset(0 2px)' },
  '.cm-content': { padding: '10px 0', caretColor: 'var(--accent)' },
  '.cm-line': { padding: '0 14px', background: 'var(--code-rulers)', backgroundOrigin: 'content-box' },
  '.cm-cursor, .cm-dropCursor': { borderLeft: '2px solid var(--accent)', marginLeft: '-1px' },
  '.cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--accent) 18%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--accent) 26%, transparent)' },
  '.cm-matchingBracket, .cm-nonmatchingBracket': { backgroundColor: 'transparent' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'color-mix(in srgb, var(--ok) 22%, transparent)', borderRadius: '2px' },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'color-mix(in srgb, var(--bad) 22%, transparent)' },
  // A long line that is scrolled goes under it, and ends before the ring around the cell, which stays uncovered.
  '.cm-gutters': { background: 'linear-gradient(var(--ground, transparent)) 2px 2px / calc(100% - 2px) calc(100% - 4px) no-repeat', borderRadius: 'var(--radius-md) 0 0 var(--radius-md)', color: 'var(--ink-soft)', border: 'none', fontFamily: 'var(--code-font)' },
  '.cm-lineNumbers .cm-gutterElement': { boxSizing: 'border-box', minWidth: 'calc(3ch + 8px)', padding: '0 4px' },
  '.cm-foldGutter': { width: '12px' },
  '.cm-foldGutter .cm-gutterElement': { padding: '0', textAlign: 'center', cursor: 'pointer', opacity: '0', transition: 'opacity var(--quick)' },
  '&:hover .cm-foldGutter .cm-gutterElement, .cm-foldGutter .cm-gutterElement:has([title^="Unfold"])': { opacity: '1' },
  '.cm-foldPlaceholder': { border: 'none', borderRadius: '4px', padding: '0 5px', backgroundColor: 'var(--accent-soft)', color: 'inherit' },
  '.cm-panels': { backgroundColor: 'var(--surface-dim)', color: 'var(--ink)', fontFamily: 'var(--font-ui)', fontSize: '13px' },
  '.cm-gotoLine': { padding: '6px 14px' },
  '.cm-textfield': { border: '1px solid color-mix(in srgb, var(--ink) 26%, transparent)', borderRadius: '6px', backgroundColor: 'var(--surface)', padding: '3px 8px' },
  '.cm-button': { backgroundImage: 'none', backgroundColor: 'var(--surface)', border: '1px solid color-mix(in srgb, var(--ink) 22%, transparent)', borderRadius: '6px', padding: '3px 8px' },
  '.cm-fat-cursor': { background: 'color-mix(in srgb, var(--accent) 55%, transparent) !important', color: 'var(--ink) !important' },
  '&:not(.cm-focused) .cm-fat-cursor': { background: 'none !important', outline: '1px solid var(--accent) !important' },
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
  '.cm-inspection > * + *': { borderTop: '1px solid var(--line)', marginTop: '8px', paddingTop: '8px' },
  '.cm-documentation': { fontFamily: 'var(--font-ui)', whiteSpace: 'normal' },
  '.cm-documentation :is(p, ul, ol, pre, h1, h2, h3, h4)': { margin: '0 0 8px', fontSize: 'inherit' },
  '.cm-documentation :is(pre, code)': { fontFamily: 'var(--font-code)', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' },
  '.cm-documentation hr': { border: 'none', borderTop: '1px solid var(--line)', margin: '8px 0' },
  '.cm-signature': { fontFamily: 'var(--font-code)', whiteSpace: 'pre-wrap' },
  '.cm-signature strong': { color: 'var(--accent)' },
  '.cm-places': { display: 'flex', flexDirection: 'column', gap: '2px', fontFamily: 'var(--font-ui)', whiteSpace: 'normal' },
  '.cm-choice': { textAlign: 'left', font: 'inherit', color: 'inherit', background: 'transparent', border: 'none', borderRadius: 'var(--radius-sm)', padding: '4px 8px', cursor: 'pointer' },
  '.cm-choice:is(:hover, :focus-visible)': { backgroundColor: 'var(--accent-soft)', outline: 'none' },
  '.cm-rename input': { font: '14px/20px var(--font-code)', color: 'var(--ink)', backgroundColor: 'var(--surface)', border: '1px solid var(--accent)', borderRadius: 'var(--radius-sm)', padding: '4px 8px', width: '22ch' },
  '.cm-rename p:empty': { display: 'none' },
  '.cm-rename p': { margin: '6px 0 0', color: 'var(--bad)', fontFamily: 'var(--font-ui)' },
  '.cm-completionInfo': { maxWidth: 'min(420px, 90vw)', maxHeight: '280px', overflow: 'auto', padding: '8px 12px', font: '13px/19px var(--font-ui)' },
  '.cm-inspection': { maxWidth: 'min(640px, 90vw)', maxHeight: '320px', overflow: 'auto', padding: '10px 14px', font: '13px/19px var(--font-code)', whiteSpace: 'pre-wrap' },
})
