// The site's own search, outside of a browser: node search.mjs SITE QUESTION … prints what is found, best first, as JSON.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [site, ...questions] = process.argv.slice(2);
const folder = join(site, "assets", "javascripts", "workers");
const script = readdirSync(folder).find((name) => /^search\..*\.min\.js$/.test(name));

let answered;
globalThis.self = globalThis;
globalThis.location = { href: "file:///" };
globalThis.importScripts = () => {};
globalThis.postMessage = (message) => answered(message);
globalThis.addEventListener = (type, listener) => { globalThis.listener = listener; };
(0, eval)(readFileSync(join(folder, script), "utf-8"));

const ask = (message) => new Promise((resolve) => {
  answered = resolve;
  globalThis.listener({ data: message });
});
const index = JSON.parse(readFileSync(join(site, "search", "search_index.json"), "utf-8"));
await ask({ type: 0, data: { ...index, options: { suggest: false } } });
const found = {};
for (const question of questions) {
  const { data } = await ask({ type: 2, data: question });
  found[question] = data.items.map((page) => page.map(({ location }) => location));
}
console.log(JSON.stringify(found));
