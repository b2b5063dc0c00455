// Serves browser.html, and the gateway's /v1 under the same origin: the gateway answers no page of another one. In production a proxy in front of both does this.
//
//   node examples/serve.js [gateway's REST address]
import { createReadStream } from "node:fs";
import { createServer, request } from "node:http";
import { extname } from "node:path";
import { pipeline } from "node:stream";
import { fileURLToPath } from "node:url";

const gateway = new URL(process.argv[2] ?? "http://127.0.0.1:8081");
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript" };

const server = createServer((incoming, outgoing) => {
  const { pathname } = new URL(incoming.url ?? "/", "http://localhost"); // without any ".."
  if (pathname.startsWith("/v1/")) return forward(incoming, outgoing);
  if (pathname === "/") return send("/examples/browser.html", outgoing);
  if (/^\/(dist\/src|node_modules)\/[\w@/.-]+\.js$/.test(pathname)) return send(pathname, outgoing);
  outgoing.writeHead(404).end();
});

/** All headers as they are, Host, Cookie and Sec-Fetch-Site among them, and every byte as soon as it comes. */
function forward(incoming, outgoing) {
  const { method, url, headers } = incoming;
  const upstream = request(gateway, { method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    outgoing.flushHeaders();
    pipeline(answer, outgoing, () => {});
  });
  upstream.on("error", () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
  outgoing.on("close", () => upstream.destroy());
  pipeline(incoming, upstream, () => {});
}

function send(path, outgoing) {
  const file = createReadStream(fileURLToPath(new URL(`..${path}`, import.meta.url)));
  file.on("open", () => outgoing.writeHead(200, { "Content-Type": types[extname(path)], "Cache-Control": "no-store" }));
  file.on("error", () => outgoing.writeHead(404).end());
  pipeline(file, outgoing, () => {});
}

server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
