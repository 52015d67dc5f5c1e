/** What can be told of HTML without what cleans it. */

/** The style sheet that pandas and polars put beside a table; ours does the same. */
const TABLE_STYLE = /<style(?: scoped(?:="")?| type="text\/css")?>\s*((?:\.dataframe[\w\s>.:,-]{0,200}\{[\w\s:;-]{0,200}\}\s*){1,12})<\/style>/gi
const TABLE_RULE = /\{\s*(?:(?:vertical-align|text-align|white-space)\s*:\s*[\w-]+\s*;?\s*)*\}/g

export function withoutTableStyle(html: string): string {
  return html.replace(TABLE_STYLE, (whole, rules: string) => (/[{}]/.test(rules.replace(TABLE_RULE, '')) ? whole : ''))
}

const SURELY_ACTIVE = /<(?:script|iframe|object|embed|form|video|audio|canvas|svg|link|style)[\s/>]|<[a-z][^<>]*\son[a-z]+\s*=/i

/** Whether cleaning would take something away for certain; finding that first saves the work. In doubt, clean it. */
export function surelyActive(html: string): boolean {
  return SURELY_ACTIVE.test(withoutTableStyle(html))
}
