/**
 * Loads the scripts that widget packages bring for browsers: AMD modules, each run with a `define` of its own. Where
 * they come from is the caller's to know.
 */
type Factory = (...values: unknown[]) => unknown
type Fetch = (path: string) => Promise<string>

export class Modules {
  private readonly loaded = new Map<string, Promise<unknown>>()

  constructor(private readonly fetch: Fetch) {}

  /** A module that is here already. */
  provide(name: string, value: unknown): void {
    this.loaded.set(name, Promise.resolve(value))
  }

  /** Rejects if there is no such module, or it does not work. */
  load(name: string): Promise<unknown> {
    const known = this.loaded.get(name)
    if (known) return known
    const loading = this.run(name)
    this.loaded.set(name, loading)
    // What could not be had may be there the next time: a package was installed, or the network is back.
    loading.catch(() => this.loaded.delete(name))
    return loading
  }

  private async run(name: string): Promise<unknown> {
    const source = await this.fetch(fileOf(name))
    let defined: readonly unknown[] | null = null
    const define = Object.assign((...args: unknown[]) => { defined ??= args }, { amd: {} })
    new Function('define', 'requirejs', 'require', `${source}\n//# sourceURL=nbextensions/${name}.js`)(define, undefined, undefined)
    if (defined === null) throw new Error(`The script of ${name} defines no module.`)
    const { needs, factory } = parts(defined)
    const module = { exports: {} as unknown, id: name, uri: `nbextensions/${fileOf(name)}` }
    const values = await Promise.all(needs.map((need) => this.need(need, name, module)))
    const made = typeof factory === 'function' ? (factory as Factory)(...values) : factory
    return made ?? module.exports
  }

  private need(need: string, by: string, module: { exports: unknown }): unknown {
    switch (need) {
      case 'module':
        return module
      case 'exports':
        return module.exports
      case 'require':
        return () => {
          throw new Error(`${by} asks for modules while it runs, which is not possible here.`)
        }
      default:
        return this.load(beside(by, need))
    }
  }
}

/** `define(name?, needs?, factory)` */
function parts(args: readonly unknown[]): { readonly needs: readonly string[]; readonly factory: unknown } {
  const needs = args.find(Array.isArray) as readonly string[] | undefined
  return { needs: needs ?? (typeof args.at(-1) === 'function' ? ['require', 'exports', 'module'] : []), factory: args.at(-1) }
}

/** A package's own module is its `index.js`; a deeper path names a file. */
export function fileOf(name: string): string {
  const depth = name.startsWith('@') ? 2 : 1
  return name.split('/').length > depth ? `${name}.js` : `${name}/index.js`
}

/** `./` and `../` are seen from the module that names them. */
export function beside(by: string, need: string): string {
  if (!need.startsWith('.')) return need.replace(/\.js$/, '')
  const place = fileOf(by).split('/').slice(0, -1)
  for (const step of need.replace(/\.js$/, '').split('/')) {
    if (step === '..') place.pop()
    else if (step !== '.') place.push(step)
  }
  return place.join('/')
}
