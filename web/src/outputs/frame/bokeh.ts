/** BokehJS as the notebook's own runtime has it: the same files that Bokeh's scripts and pages would fetch from elsewhere. */
import { call } from './calls'

const ELSEWHERE = /https:\/\/cdn\.(?:bokeh|pydata)\.org\/bokeh\/(?:release|dev)\/(bokeh(?:-[a-z]{1,20})?)-(\d+(?:\.\w{1,20}){1,4}?)((?:\.min)?\.js)/g

const coming = new Map<string, Promise<string | null>>()

export const namesBokeh = (code: string): boolean => code.includes('.org/bokeh/') && code.search(ELSEWHERE) !== -1

/** The same text with addresses inside this document. What the runtime does not have, in this very version, is left as it was. */
export async function withBokeh(code: string): Promise<string> {
  const named = [...code.matchAll(ELSEWHERE)]
  const here = new Map(await Promise.all(named.map(async ([address, file = '', version = '', end = '']) => [address, await fetched(`bokeh/${version}/${file}${end}`)] as const)))
  return code.replace(ELSEWHERE, (address) => here.get(address) ?? address)
}

function fetched(path: string): Promise<string | null> {
  let address = coming.get(path)
  if (!address) {
    address = call('nbextension', path).then(
      (script) => URL.createObjectURL(new Blob([String(script)], { type: 'text/javascript' })),
      // No runtime, or another Bokeh in it: the script goes to where it wanted to, if this frame may.
      () => null,
    )
    coming.set(path, address)
  }
  return address
}
