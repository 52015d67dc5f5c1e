/** The tab's title: the notebook's name, after signs for what one should know while looking elsewhere. */
type Sign = 'notice' | 'run'

let name = ''
const signs = new Map<Sign, string>()

function show(): void {
  document.title = `${[...signs.values()].map((sign) => `${sign} `).join('')}${name ? `${name} · Collegium` : 'Collegium'}`
}

export function nameTab(next: string): void {
  name = next
  show()
}

/** Null takes it away. */
export function signTab(what: Sign, sign: string | null): void {
  if (sign === null) signs.delete(what)
  else signs.set(what, sign)
  show()
}
