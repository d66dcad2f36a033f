import { defineConfig } from "vite";

export default defineConfig({
  base: "/",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    outDir: "dist/site",
    emptyOutDir: true,
    target: "es2022",
    // Nothing may stand in the page itself: the server's Content-Security-Policy takes no `data:` script or style.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // `npm run dev` beside a `monitor serve`.
    proxy: { "/api": "http://127.0.0.1:8080" },
  },
});
