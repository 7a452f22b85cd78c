// A guest of the original kind: it has no _start, all of it runs in the start function, and it exports its memory alone. Nobody can tell it the port of
// tests/http/server.py, so that the word PORT is replaced before it is compiled.
import { print, send, lastError, Response } from "./http";

const base = "http://127.0.0.1:PORT";

function check(name: string, ok: bool): void {
  print((ok ? "ok " : "FAIL ") + name);
}

function main(): void {
  const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "DELET", "OPTIONS"];
  for (let i = 0; i < methods.length; i++) {
    const res = send(methods[i], base + "/echo", "Content-Type:text/plain\n", "a body");
    check(methods[i], res != null && res.status == 200 && res.headerGet("X-Method") == methods[i] && res.bodyReadAll() == "a body");
    if (res) res.close();
  }
  let res: Response | null = send("GET", base + "/chunked/20000");
  check("chunked", res != null && res.bodyReadAll().length > 0);
  res = send("GET", base + "/multi");
  check("headers", res != null && res.headerText().includes("set-cookie:a=1\nset-cookie:b=2\n"));
  check("no such header", res != null && res.headerGet("x-none") == "");
  res = send("GET", base + "/nothing");
  check("404", res != null && res.status == 404);
  check("not allowed", send("GET", "http://127.0.0.1:1/") == null && lastError == 7);
  check("closed", send("GET", base + "/closed") == null && lastError == 11);
  let bad = 0;
  for (let i = 0; i < 2000; i++) {
    res = send("POST", base + "/echo", "Content-Type:application/json\n", "[1]");
    if (res == null || res.bodyReadAll() != "[1]") bad++; // never closed, as in the original demo
  }
  check("2000 sequential requests, never closed", bad == 0);
  print("done");
}

main();
