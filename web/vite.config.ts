import { readdir, readFile, writeFile } from 'node:fs/promises'
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

/** The pieces of an editor that other chunks share stay in one: each border between chunks costs a kilobyte. */
const PACKS = [
  { name: 'base', test: /vite.preload-helper|node_modules\/(react|zustand)\/|tokens\.css/, priority: 3 },
  { name: 'copy', test: /src\/room\/copy\.ts$/, priority: 2 },
  { name: 'usage', test: /src\/model\/usage\.ts$/, priority: 2 },
  { name: 'editing', test: /src\/(editor\/editor|room\/room|session\/session)\.ts$/, priority: 1 },
]

export default defineConfig({
  plugins: [react(), brotli()],
  build: {
    outDir: '../src/collegium/_static',
    emptyOutDir: true,
    // The server tells a browser what a notebook's address will need before its first script has run.
    manifest: true,
    target: 'es2023',
    // A strict style and font policy allows no data: addresses.
    assetsInlineLimit: 0,
    rollupOptions: { output: { codeSplitting: { groups: PACKS } }, input: { main: resolve(import.meta.dirname, 'index.html'), output: resolve(import.meta.dirname, 'output.html') } },
  },
  server: { proxy: { '/api': { target: server, ws: true } } },
  test: { environment: 'happy-dom' },
} as never)
