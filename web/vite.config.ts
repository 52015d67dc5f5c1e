import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const server = process.env.COLLEGIUM_DEV_SERVER ?? 'http://127.0.0.1:8000'

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: '../src/collegium/_static',
    emptyOutDir: true,
    // The server tells a browser what a notebook's address will need before its first script has run.
    manifest: true,
    target: 'es2023',
    // A strict style and font policy allows no data: addresses.
    assetsInlineLimit: 0,
    rollupOptions: { input: { main: resolve(import.meta.dirname, 'index.html'), output: resolve(import.meta.dirname, 'output.html') } },
  },
  server: { proxy: { '/api': { target: server, ws: true } } },
  test: { environment: 'happy-dom' },
} as never)
