// @vitest-environment jsdom
import { describe, expect, test } from 'vitest'
import { withoutTableStyle } from './active'
import { clean, cleanStyle } from './sanitize'

const ELSEWHERE = 'https://elsewhere.example/seen'

/** Everything that has run script, asked the network, clobbered a name or covered a page, one form of each. */
const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '<p>a</p><script src="https://elsewhere.example/x.js"></script>',
  '<img src=x onerror=alert(1)>',
  `<img src="${ELSEWHERE}">`,
  `<img srcset="${ELSEWHERE} 2x">`,
  '<img src="/api/v1/me">',
  '<a href="javascript:alert(1)">a</a>',
  '<a href=" java\nscript:alert(1)">a</a>',
  '<a href="data:text/html,<script>alert(1)</script>">a</a>',
  '<a href="vbscript:x">a</a>',
  '<form name="getElementById" action="https://elsewhere.example"><input name="body"></form>',
  '<img name="cookie"><img id="defaultView">',
  `<style>@import url(${ELSEWHERE});</style>`,
  `<style>input[value^="a"]{background:url(${ELSEWHERE})}</style><p>x</p>`,
  `<div style="background:url(${ELSEWHERE})">x</div>`,
  `<div style="background-image:image-set('${ELSEWHERE}' 1x)">x</div>`,
  '<div style="position:fixed;inset:0;z-index:99">cover</div>',
  `<div style="list-style:url(${ELSEWHERE})">x</div>`,
  '<div style="width:expression(alert(1))">x</div>',
  '<div style="background:u\\72l(https://elsewhere.example)">x</div>',
  '<svg onload="alert(1)"><script>alert(1)</script></svg>',
  `<svg><image href="${ELSEWHERE}"/><use href="${ELSEWHERE}#a"/></svg>`,
  `<svg><foreignObject><iframe src="${ELSEWHERE}"></iframe></foreignObject></svg>`,
  `<math><mtext><table><mglyph><style><img src="${ELSEWHERE}" onerror="alert(1)"></style></mglyph></table></mtext></math>`,
  '<math href="javascript:alert(1)">x</math>',
  `<meta http-equiv="refresh" content="0;url=${ELSEWHERE}">`,
  '<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>',
  `<iframe src="${ELSEWHERE}"></iframe>`,
  `<object data="${ELSEWHERE}"></object><embed src="${ELSEWHERE}">`,
  `<link rel="stylesheet" href="${ELSEWHERE}"><base href="${ELSEWHERE}">`,
  `<video src="${ELSEWHERE}" poster="${ELSEWHERE}" autoplay></video><audio src="${ELSEWHERE}"></audio>`,
  `<picture><source srcset="${ELSEWHERE}"><img></picture>`,
  `<table background="${ELSEWHERE}"><tr><td background="${ELSEWHERE}">x</td></tr></table>`,
  `<body background="${ELSEWHERE}" onload="alert(1)">x</body>`,
  '<input autofocus onfocus="alert(1)"><select autofocus onfocus="alert(1)"></select>',
  '<details open ontoggle="alert(1)"><summary>x</summary></details>',
  '<button popovertarget="x">x</button><div popover id="x" onbeforetoggle="alert(1)">x</div>',
  '<div contenteditable autofocus onfocus="alert(1)">x</div>',
  '<template><script>alert(1)</script></template>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
  '<xmp><img src=x onerror=alert(1)></xmp><plaintext>',
  '<isindex type=image src=x onerror=alert(1)>',
  '<marquee onstart="alert(1)">x</marquee>',
  '<custom-element onclick="alert(1)" is="x-y">x</custom-element>',
  '<slot name="x"></slot><dialog open>x</dialog>',
  '<p style="font-family:\'</style><img src=x onerror=alert(1)>\'">x</p>',
  '<!--><img src=x onerror=alert(1)>-->',
  '<a href="https://elsewhere.example" ping="https://elsewhere.example/ping" onclick="alert(1)">x</a>',
  `<bgsound src="${ELSEWHERE}"><layer src="${ELSEWHERE}"></layer><frameset><frame src="${ELSEWHERE}"></frameset>`,
]

const ACTIVE = 'script,style,iframe,frame,object,embed,form,input,button,select,textarea,svg,math,link,meta,base,video,audio,source,picture,template,noscript,dialog,slot,[srcset],[background],[ping],[popover],[autofocus],[contenteditable],[action],[srcdoc],[name],[is]'

describe('what stays in the page', () => {
  test.each(HOSTILE)('is inert: %s', (html) => {
    const { fragment } = clean(html)

    expect([...fragment.querySelectorAll(ACTIVE)].map((one) => one.outerHTML)).toEqual([])
    for (const element of fragment.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on/i)
        if (name === 'src') expect(value).toMatch(/^data:image\//)
        if (name === 'href') expect(value).toMatch(/^(?:https?:|mailto:|#)/)
        if (name === 'style') expect(value).not.toMatch(/url|position|expression|image-set|\\|@/i)
        if (name === 'id') expect(value).toMatch(/^user-content-/)
      }
    }
  })

  test('links leave this page behind without telling whence', () => {
    const link = clean('<a href="https://numpy.org" target="_self" rel="opener">numpy</a>').fragment.querySelector('a')

    expect(link?.getAttribute('target')).toBe('_blank')
    expect(link?.getAttribute('rel')).toContain('noopener')
    expect(link?.getAttribute('rel')).toContain('noreferrer')
  })

  test('a picture from elsewhere becomes a note that says from where', () => {
    const { fragment, lossless } = clean('<p><img src="https://elsewhere.example/badge.svg" alt="build"></p>')

    expect(lossless).toBe(false)
    expect(fragment.querySelector('img')).toBeNull()
    expect(fragment.querySelector('a.remote-image')?.textContent).toBe('build')
  })

  test('a class of this page means nothing to strangers', () => {
    const { fragment } = clean('<div class="dialog backdrop dataframe language-python">x</div>')

    expect(fragment.querySelector('div')?.className).toBe('dataframe language-python')
  })
})

const PANDAS = `<div>
<style scoped>
    .dataframe tbody tr th:only-of-type {
        vertical-align: middle;
    }

    .dataframe tbody tr th {
        vertical-align: top;
    }

    .dataframe thead th {
        text-align: right;
    }
</style>
<table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th><th>a</th></tr></thead><tbody><tr><th>0</th><td>1</td></tr></tbody></table>
</div>`
const POLARS = `<div><style>
.dataframe > thead > tr,
.dataframe > tbody > tr {
  text-align: right;
  white-space: pre-wrap;
}
</style>
<small>shape: (1, 1)</small><table border="1" class="dataframe"><tbody><tr><td>1</td></tr></tbody></table></div>`

describe('what counts as a loss', () => {
  test.each([
    ['plain words', '<b>bold</b> and <i>italic</i>'],
    ['a table of pandas', PANDAS],
    ['a table of polars', POLARS],
    ['an address for scripts and styles', '<div id="a" class="b" data-c="d" aria-label="e">x</div>'],
    ['a coloured cell', '<td style="background-color: #ff0; color: rgb(1, 2, 3); text-align: right;">1</td>'],
    ['a picture inside the text', '<img src="data:image/png;base64,AAAA" width="10">'],
  ])('is not %s', (_, html) => {
    expect(clean(html).lossless).toBe(true)
  })

  test.each(HOSTILE.filter((html) => /script|style|src=|background|on\w+=/.test(html) && !/<!--|<body|cookie|data:text|vbscript|popover|slot|ping=/.test(html)))('is what would have acted: %s', (html) => {
    expect(clean(html).lossless).toBe(false)
  })

  test('a style sheet that is nearly the one of pandas is none', () => {
    const html = `<style scoped>.dataframe th { background: url(${ELSEWHERE}) }</style>`

    expect(withoutTableStyle(html)).toBe(html)
  })

  test('a long run of half a style sheet takes no time', () => {
    const started = performance.now()
    withoutTableStyle(`<style scoped>${'.dataframe '.repeat(20_000)}`)
    cleanStyle('color:'.repeat(600))

    expect(performance.now() - started).toBeLessThan(500)
  })
})

test('of a style attribute the understood part is kept', () => {
  expect(cleanStyle('color: red; position: fixed; margin-left: -9999px; padding: 2px')).toEqual({ style: 'color: red; padding: 2px', whole: false })
  expect(cleanStyle('background: linear-gradient(90deg, #d65f5f 50%, transparent 50%)').whole).toBe(true)
  expect(cleanStyle("font-family: 'Courier New', monospace").whole).toBe(true)
})
