// What the bundler makes of imports that are not code; the rules are in wrangler.toml.

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.html" {
  const text: string;
  export default text;
}
