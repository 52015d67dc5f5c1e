import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const server = process.env.COLLEGIUM_DEV_SERVER ?? 'http://127.0.0.1:8000'

const LARGE_BYTES = 1_000_000

/** Brotli beside every text file, for browsers that take it; a sixth smaller than gzip. */
function brotli(): Plugin {
  return {
    name: 'brotli',
    apply: 'build',
    async writeBundle({ dir }) {
      const assets = join(dir!, 'assets')
      for (const name of await readdir(assets)) {
        if (!/\.(?:js|css)$/.test(name)) continue
        const bytes = await readFile(join(assets, name))
        const quality = bytes.length > LARGE_BYTES ? 9 : 11
        await writeFile(join(assets, `${name}.br`), await promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }))
      }
    },
  }
}

/** What the page cannot be without when there is no server; the heavy libraries of outputs come along once they were used. */
const SHELL_BYTES_MAX = 700_000
const DIAGRAMS = /node_modules\/(?:mermaid|@mermaid-js|cytoscape|cytoscape-[\w-]+|dagre-d3-es|langium|roughjs|khroma)\//
const SHELL_FONTS = /-(latin|latin-ext)-wght-normal-|KaTeX_/

/** Tells the service worker what to keep. */
function shell(): Plugin {
  return {
    name: 'shell',
    apply: 'build',
    async writeBundle({ dir }) {
      const assets = join(dir!, 'assets')
      const files: string[] = []
      for (const name of (await readdir(assets)).sort()) {
        const { size } = await stat(join(assets, name))
        if (name.startsWith('diagram-')) continue
        if (/\.(js|css|svg)$/.test(name) ? size <= SHELL_BYTES_MAX : name.endsWith('.woff2') && SHELL_FONTS.test(name)) files.push(`/assets/${name}`)
      }
      const build = /src="\/assets\/([\w-]+)\.js"/.exec(await readFile(join(dir!, 'index.html'), 'utf8'))![1]
      const worker = join(dir!, 'sw.js')
      await writeFile(worker, (await readFile(worker, 'utf8')).replace('__SHELL__', () => JSON.stringify({ build, files })))
    },
  }
}

/** What a notebook shows before anything was pressed, by the names of the icons' files. Who shows another one there names it here: else all the others come along. */
const ICONS_AHEAD = `
  arrow-down arrow-right arrow-up braces check chevron-down chevron-right chevrons-down-up chevrons-up-down
  circle-exclamation-point circle-x cloud-off code-xml copy download ellipsis-vertical folder-open globe
  grip-vertical keyboard link list lock log-out message-square message-square-plus monitor moon package-plus pencil
  pencil-off play plug plus refresh-cw rotate-ccw-clock search server settings sheet square square-terminal sun trash
  triangle-exclamation-point user-round users x
`.trim().split(/\s+/)

/** The pieces of an editor that other chunks share stay in one: each border between chunks costs a kilobyte. */
const PACKS = [
  { name: 'base', test: /vite.preload-helper|src\/outputs\/math\.ts$|node_modules\/(react|zustand)\/|node_modules\/react-dom\/(?:index|cjs\/react-dom\.production)|tokens\.css/, priority: 6 },
  { name: 'usage', test: /src\/model\/usage\.ts$/, priority: 2 },
  // What helps while one writes comes later (src/editor/helping.ts); Python's grammar would have it in the first piece.
  { name: 'codemirror', test: /node_modules\/@codemirror\/(?:state|view|language|commands)\//, priority: 5 },
  { name: 'writing', test: /node_modules\/@codemirror\/autocomplete\//, priority: 4 },
  { name: 'editing', test: /src\/(?:editor\/editor|room\/(?:room|copy)|session\/session|api\/client|i18n\/moments|ui\/notebook\/(?:sight|languages))\.ts$/, priority: 3 },
  // An icon is a quarter of a kilobyte, and its answer's head three times that.
  { name: 'icons', test: new RegExp(`node_modules/lucide-react/(?!dist/esm/icons/(?!(?:${ICONS_AHEAD.join('|')})\\.))`), priority: 2.1 },
  { name: 'icons-later', test: /node_modules\/lucide-react\//, priority: 2 },
  // What output frames need as well: they load nothing else of the page.
  { name: 'framed', test: /src\/(?:model\/(?:wire|shortcut)|outputs\/(?:ansi|mime|stream|frame\/wire))\.ts$/, priority: 7 },
  // What panels and dialogs share, and the page itself has no use for.
  { name: 'panels', test: /src\/(?:api\/(?:history|inside|looking|sharing|upload)|ui\/kit\/Splitter)\.tsx?$/, priority: 1.5 },
  // What nobody needs before they press something stays out.
  { name: 'shared', test: /src\/(?:api|i18n|model|room|settings)\/(?!.*schema)|src\/ui\/kit\/(?!index|DrawnMenu|DrawnHint|Dialog|Picker|Select|Splitter|TextField)|src\/outputs\/(?:ansi|values|active)\.ts$|src\/ui\/UserMenu\.tsx$|src\/ui\/notebook\/[a-z]+\.ts$/, minShareCount: 3, priority: 1 },
]

export default defineConfig({
  plugins: [react(), brotli(), shell()],
  // Widgets bring a cleaner of HTML of their own, which is larger than all the rest of them; there is one here already.
  resolve: { alias: { 'sanitize-html': resolve(import.meta.dirname, 'src/outputs/frame/widgets/sanitize.ts') } },
  build: {
    outDir: '../src/collegium/_static',
    emptyOutDir: true,
    // The server tells a browser what a notebook's address will need before its first script has run.
    manifest: true,
    // Every browser that knows this page's syntax knows it.
    modulePreload: { polyfill: false },
    target: 'es2023',
    // A strict style and font policy allows no data: addresses.
    assetsInlineLimit: 0,
    rollupOptions: { output: { codeSplitting: { groups: PACKS }, chunkFileNames: ({ moduleIds }: { moduleIds: readonly string[] }) => (moduleIds.some((id) => DIAGRAMS.test(id)) ? 'assets/diagram-[name]-[hash].js' : 'assets/[name]-[hash].js'), entryFileNames: ({ name }: { name: string }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') }, input: { main: resolve(import.meta.dirname, 'index.html'), output: resolve(import.meta.dirname, 'output.html'), sw: resolve(import.meta.dirname, 'src/shell/worker.ts') } },
  },
  // The changelog and the answers to questions stand beside this folder.
  server: { fs: { allow: ['..'] }, proxy: { '/api': { target: server, ws: true } } },
  // A browser's world is made once for each thread, which costs a third; and no test waits less where a machine is busy.
  test: { environment: 'happy-dom', pool: 'vmThreads', testTimeout: 60_000 },
} as never)
